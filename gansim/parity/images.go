package parity

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/weights"
)

// Limits of images.json, as its README states them.
const (
	imageTime   = time.Second
	imageMemory = 512 // MB, where the file asks for no less
)

// imageFile is one file of images.json.
type imageFile struct {
	File         string
	Expect       string // ok, error or either
	Must         string
	Pillow       string // what Pillow did where more than one outcome is right
	Size         [2]int // width, height, as stored
	CRC32        uint32
	Tensor       string
	Optional     bool    // a clear error that names the feature is right too
	HighByte     *uint32 `json:"crc32_high_byte"` // right too
	Turned       *uint32 `json:"crc32_transposed"`
	SizeTurned   [2]int  `json:"size_transposed"`
	MaxDeviation int     `json:"max_deviation"`
	MemoryMB     int     `json:"memory_mb"`
	Bytes        int64
}

type imagesFile struct {
	PixelCap int `json:"pixel_cap"`
	Files    []imageFile

	stored *weights.File
}

// images decodes good, odd and hostile files.
func images(r *run) error {
	var f imagesFile
	err := r.read(&f)
	if err != nil {
		return err
	}
	r.exact("pixel cap", f.PixelCap == imaging.MaxPixels,
		fmt.Sprintf("got %d, want %d", imaging.MaxPixels, f.PixelCap))
	if f.stored, err = r.tensors(); err != nil {
		return err
	}
	for _, file := range f.Files {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		r.line(f.asStored(file, filepath.Join(r.dir, "images", file.File)))
		if file.Turned != nil {
			r.line(f.turned(file, filepath.Join(r.dir, "images", file.File)))
		}
	}
	return nil
}

// decoded is what came of a file.
type decoded struct {
	picture imaging.RGB
	err     error
	bytes   uint64 // allocated, all in all
	took    time.Duration
}

func decodeFile(path string, o imaging.DecodeOptions) decoded {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	picture, err := imaging.Open(path, o)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return decoded{picture, err, after.TotalAlloc - before.TotalAlloc, took}
}

// asStored decodes a file without turning it, and judges what came of it.
func (f *imagesFile) asStored(file imageFile, path string) Line {
	l := Line{Stage: file.File, Measure: "exact"}
	if info, err := os.Stat(path); err != nil || info.Size() != file.Bytes {
		l.Error = fmt.Sprintf("file is missing or not of %d bytes", file.Bytes)
		return l
	}
	d := decodeFile(path, imaging.DecodeOptions{AsStored: true})
	if l.Error = f.misbehaved(file, d); l.Error != "" {
		return l
	}
	if d.err != nil {
		l.OK = true
		return l
	}
	size := file.Size
	if file.Expect == "either" { // the header's size is that which Pillow saw, if it did
		if _, err := fmt.Sscanf(file.Pillow, "reads it, %dx%d", &size[0], &size[1]); err != nil {
			l.OK = true
			return l
		}
	}
	if got := [2]int{d.picture.Width, d.picture.Height}; got != size {
		l.Error = fmt.Sprintf("size %v, want %v", got, size)
		return l
	}
	if file.Expect == "either" {
		l.OK = true
		return l
	}
	name, sum := file.Tensor, file.CRC32
	if file.HighByte != nil && crc32.ChecksumIEEE(d.picture.Pix) == *file.HighByte {
		name, sum = file.Tensor+"#high_byte", *file.HighByte
	}
	return f.pixels(file, l, d.picture, name, sum)
}

// misbehaved says what is wrong apart from pixels, "" for nothing.
func (f *imagesFile) misbehaved(file imageFile, d decoded) string {
	limit := uint64(imageMemory)
	if file.MemoryMB > 0 {
		limit = uint64(file.MemoryMB)
	}
	early := strings.HasPrefix(file.Must, "refuse before allocating")
	switch {
	case d.bytes > limit<<20:
		return fmt.Sprintf("allocated %d MB, want at most %d", d.bytes>>20, limit)
	case d.took > imageTime:
		return fmt.Sprintf("took %v, want at most %v", d.took, imageTime)
	case d.err != nil && !strings.Contains(d.err.Error(), file.File):
		return fmt.Sprintf("error %q does not name the file", d.err)
	case file.Expect == "error" && d.err == nil:
		return "decoded, want an error"
	case early && d.bytes > uint64(f.PixelCap): // a byte a pixel is less than any picture takes
		return fmt.Sprintf("allocated %d bytes before refusing", d.bytes)
	case file.Expect == "ok" && d.err != nil &&
		!(file.Optional && errors.Is(d.err, imaging.ErrUnsupported)):
		return d.err.Error()
	}
	return ""
}

// turned decodes a file upright.
func (f *imagesFile) turned(file imageFile, path string) Line {
	l := Line{Stage: file.File + "#transposed", Measure: "exact"}
	d := decodeFile(path, imaging.DecodeOptions{})
	if l.Error = f.misbehaved(file, d); l.Error != "" || d.err != nil {
		l.OK = l.Error == ""
		return l
	}
	if got := [2]int{d.picture.Width, d.picture.Height}; got != file.SizeTurned {
		l.Error = fmt.Sprintf("size %v, want %v", got, file.SizeTurned)
		return l
	}
	name := file.Tensor + "#transposed"
	if _, ok := f.stored.Tensor(name); !ok { // where turning changes nothing
		name = file.Tensor
	}
	return f.pixels(file, l, d.picture, name, *file.Turned)
}

// pixels compares a picture with a stored one of the same size and with its checksum. Formats
// without loss must be equal. JPEG is held to max_deviation, not to what the file allows behind
// another inverse DCT than libjpeg's: ours is the same.
func (f *imagesFile) pixels(file imageFile, l Line, got imaging.RGB, name string, sum uint32) Line {
	tensor, ok := f.stored.Tensor(name)
	l.OK = crc32.ChecksumIEEE(got.Pix) == sum
	if !ok || len(tensor.Data) != len(got.Pix) || crc32.ChecksumIEEE(tensor.Data) != sum {
		if !l.OK {
			l.Error = fmt.Sprintf("crc32 %08x, want %08x", crc32.ChecksumIEEE(got.Pix), sum)
		}
		return l
	}
	want := imaging.RGB{Width: got.Width, Height: got.Height, Pix: tensor.Data}
	d := oracle.Compare(bytesOf(got), bytesOf(want))
	l.MaxAbs, l.RelL2 = d.MaxAbs, d.RelL2
	if file.MaxDeviation == 0 {
		return l
	}
	l.Measure, l.Tolerance = "max_abs", float64(file.MaxDeviation)
	l.OK = d.MaxAbs <= l.Tolerance
	return l
}
