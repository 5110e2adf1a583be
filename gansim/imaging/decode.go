package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// MaxPixels is the largest picture that is decoded, in pixels: Pillow's limit against
// decompression bombs (PIL.Image.MAX_IMAGE_PIXELS times 2).
const MaxPixels = 178_956_970

// maxFileBytes bounds what is read: more than a raw 16-bit RGB file of MaxPixels has.
const maxFileBytes = 6*MaxPixels + 1<<20

// Errors that a caller can test for.
var (
	// ErrFormat is wrapped when the content is none of the known formats.
	ErrFormat = errors.New("not a JPEG, PNG, GIF, BMP, TIFF or WebP file")
	// ErrTooLarge is wrapped when the header claims more pixels than allowed.
	ErrTooLarge = errors.New("too many pixels")
	// ErrUnsupported is wrapped when a valid file uses a feature that no decoder here knows.
	ErrUnsupported = errors.New("unsupported feature")
	// ErrTruncated is wrapped when the file is too short for the picture that it announces.
	ErrTruncated = errors.New("file is truncated")
)

// DecodeOptions says how files are read; the zero value is for photographs.
type DecodeOptions struct {
	// AsStored leaves pictures as stored instead of turning them by their EXIF orientation. TIFF is
	// turned by its own orientation tag in any case, as in Pillow.
	AsStored bool
	// MaxPixels is the largest picture allowed; zero means the constant MaxPixels.
	MaxPixels int
}

// Open decodes a file. The error names the file.
func Open(path string, options DecodeOptions) (RGB, error) {
	f, err := os.Open(path)
	if err != nil {
		return RGB{}, fmt.Errorf("imaging: %w", err)
	}
	defer f.Close()
	m, err := Decode(f, options)
	if err != nil {
		return RGB{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Decode reads a JPEG, PNG, GIF, BMP, TIFF or WebP file by the rules in the package comment. The
// size is checked before pixels are allocated. Lossy WebP differs from libwebp by at most 1; all else
// is equal. Errors wrap [ErrFormat], [ErrTooLarge], [ErrUnsupported] or
// [ErrTruncated] where one of them is the reason.
func Decode(r io.Reader, options DecodeOptions) (RGB, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return RGB{}, fmt.Errorf("imaging: %w", err)
	}
	if len(data) > maxFileBytes {
		return RGB{}, fmt.Errorf("imaging: file of more than %d bytes: %w", maxFileBytes, ErrTooLarge)
	}
	f, err := sniff(data)
	if err != nil {
		return RGB{}, fmt.Errorf("imaging: %w", err)
	}
	m, err := f.read(data, options)
	if err != nil {
		return RGB{}, fmt.Errorf("imaging: %s: %w", f.name, reason(err))
	}
	return m, nil
}

// format is one kind of file. decode returns a picture whose colours are final (RGB) or that
// fromImage converts.
type format struct {
	name   string
	magic  string // '?' matches any byte
	config func(io.Reader) (image.Config, error)
	decode func(data []byte, config image.Config) (RGB, error)
	turn   func(data []byte) int // orientation 1..8
	always bool                  // turned also when pictures are wanted as stored
}

// formats lists the known kinds.
func formats() []format {
	tiffs := func(magic string) format {
		return format{"tiff", magic, tiff.DecodeConfig, decodeTIFF, tiffOrientation, true}
	}
	return []format{
		{"jpeg", "\xff\xd8", configJPEG, decodeJPEG, jpegOrientation, false},
		{"png", "\x89PNG\r\n\x1a\n", png.DecodeConfig, decodePNG, pngOrientation, false},
		{"gif", "GIF8?a", gif.DecodeConfig, decodeGIF, nil, false},
		{"bmp", "BM", configBMP, decodeBMP, nil, false},
		tiffs("II*\x00"),
		tiffs("MM\x00*"),
		{"webp", "RIFF????WEBP", webp.DecodeConfig, decodeWebP, webpOrientation, false},
	}
}

// sniff finds the format by the first bytes.
func sniff(data []byte) (format, error) {
	if len(data) == 0 {
		return format{}, fmt.Errorf("empty file: %w", ErrFormat)
	}
	for _, f := range formats() {
		if matches(data, f.magic) {
			return f, nil
		}
	}
	return format{}, fmt.Errorf("starts with %q: %w", data[:min(len(data), 12)], ErrFormat)
}

// matches says whether data begins with magic.
func matches(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// read checks the size, decodes and turns. A panic in a decoder becomes an error: the decoders are
// not ours and the file may be hostile.
func (f format) read(data []byte, options DecodeOptions) (m RGB, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = RGB{}, fmt.Errorf("decoder panic: %v", r)
		}
	}()
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return RGB{}, err
	}
	limit := options.MaxPixels
	if limit <= 0 {
		limit = MaxPixels
	}
	w, h := config.Width, config.Height
	if w <= 0 || h <= 0 {
		return RGB{}, fmt.Errorf("size is %dx%d", w, h)
	}
	if w > limit/h {
		return RGB{}, fmt.Errorf("size is %dx%d, limit %d pixels: %w", w, h, limit, ErrTooLarge)
	}
	m, err = f.decode(data, config)
	if err != nil {
		return RGB{}, err
	}
	if m.Width != w || m.Height != h {
		return RGB{}, fmt.Errorf("picture is %dx%d, header says %dx%d", m.Width, m.Height, w, h)
	}
	if f.turn != nil && (f.always || !options.AsStored) {
		m = orient(m, f.turn(data))
	}
	return m, nil
}

// reason wraps our sentinels around the decoders' own errors.
func reason(err error) error {
	var pngError png.UnsupportedError
	var tiffError tiff.UnsupportedError
	switch {
	case errors.As(err, &pngError), errors.As(err, &tiffError),
		errors.Is(err, bmp.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return err
}

// The largest expansions, bytes out per byte in; a header that claims more is refused before pixels
// are allocated.
const (
	deflateRatio  = 1032 // RFC 1951: 258 bytes in 2 bits
	lzwRatio      = 2731 // TIFF 6.0: a string of 4096 bytes in 12 bits
	packBitsRatio = 64   // TIFF 6.0: 128 bytes in 2
)

func decodePNG(data []byte, config image.Config) (RGB, error) {
	depth := int(data[24])                            // of IHDR, which png.DecodeConfig has checked
	channels := [7]int{1, 0, 3, 1, 2, 0, 4}[data[25]] // by its colour type
	need := (config.Width*depth*channels/8 + 1) * config.Height
	if need/deflateRatio > len(data) {
		return RGB{}, fmt.Errorf("%d bytes of pixels in a file of %d: %w", need, len(data),
			ErrTruncated)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return RGB{}, err
	}
	return fromImage(img)
}

func decodeBMP(data []byte, config image.Config) (RGB, error) {
	if config.Width*config.Height/8 > len(data) { // one bit a pixel at least, never packed
		return RGB{}, ErrTruncated
	}
	img, err := bmp.Decode(bytes.NewReader(data))
	if err != nil {
		return RGB{}, err
	}
	return fromImage(img)
}

// configBMP names the feature that x/image/bmp refuses.
func configBMP(r io.Reader) (image.Config, error) {
	var head [34]byte
	n, _ := io.ReadFull(r, head[:]) // a short header shows below
	config, err := bmp.DecodeConfig(io.MultiReader(bytes.NewReader(head[:n]), r))
	if errors.Is(err, bmp.ErrUnsupported) && n == len(head) {
		return config, fmt.Errorf("%d bits a pixel, compression %d, pixels at byte %d: %w",
			binary.LittleEndian.Uint16(head[28:]), binary.LittleEndian.Uint32(head[30:]),
			binary.LittleEndian.Uint32(head[10:]), err)
	}
	return config, err
}

// Tags of TIFF 6.0 (Adobe 1992).
const (
	tagCompression = 259
	tagOrientation = 274
	tagSamples     = 277
	tagPlanar      = 284
)

func decodeTIFF(data []byte, config image.Config) (RGB, error) {
	// The largest expansion by compression; CCITT's has no bound.
	ratio := map[int]int{0: 1, 1: 1, 5: lzwRatio, 8: deflateRatio, 32946: deflateRatio,
		32773: packBitsRatio}[tiffTag(data, tagCompression)]
	bits := 1
	if samples := tiffTag(data, tagSamples); samples > 1 {
		bits = 8 * min(samples, 4)
	}
	if ratio > 0 && config.Width*config.Height/8*bits/ratio > len(data) {
		return RGB{}, ErrTruncated
	}
	if tiffTag(data, tagPlanar) == 2 && tiffTag(data, tagSamples) > 1 {
		return RGB{}, fmt.Errorf("planes stored apart: %w", ErrUnsupported)
	}
	img, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return RGB{}, err
	}
	return fromImage(img)
}

// tiffOrientation is the orientation tag of the first page.
func tiffOrientation(data []byte) int { return tiffTag(data, tagOrientation) }
