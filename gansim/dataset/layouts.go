package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Layout is a reference set of the paper's panel A as its publishers distribute it.
type Layout struct {
	Name    string   // the prefix of its spec, before a colon
	Label   string   // as the paper calls it
	Folders []string // that belong to it, below the folder given; those that are there are read
	Images  int      // that it has, as the paper's code uses it
	Terms   string   // who owns it, and on which terms it may be used
}

// Layouts lists the reference sets. The numbers of images are those that the paper's code read, which
// are all of each set (only ImageNet has the 50,000 that the legend speaks of).
func Layouts() []Layout {
	return []Layout{
		{"imagenet", "ImageNet", []string{"val", "ILSVRC2012_img_val", "Data/CLS-LOC/val"}, 50000,
			"ILSVRC2012 validation (Russakovsky et al. 2015); image-net.org gives it for non-commercial " +
				"research and education only"},
		{"ecoset", "EcoSet", []string{"val", "test"}, 56500,
			"validation and test of 28,250 each (Mehrer et al. 2021); for non-commercial use, CC BY-NC-SA 2.0; " +
				"its training images are not used"},
		{"things", "THINGS", []string{"object_images", "images"}, 26107,
			"object images (Hebart et al. 2019); for research, the photographs belong to their owners"},
		{"coco", "MS-COCO", []string{"train2017", "val2017"}, 123287,
			"118,287 training and 5,000 validation images of 2017 (Lin et al. 2014); the photographs are on " +
				"Flickr's terms, the annotations CC BY 4.0"},
	}
}

// cutLayout recognises a spec of a reference set.
func cutLayout(path string) (l Layout, dir string, ok bool) {
	name, dir, found := strings.Cut(path, ":")
	for _, l := range Layouts() {
		if found && l.Name == name {
			return l, dir, true
		}
	}
	return Layout{}, "", false
}

// openLayout lists the folders of a reference set; without any of them, the folder itself is it.
func (s *Set) openLayout(ctx context.Context, l Layout, dir string) error {
	var there []string
	for _, name := range l.Folders {
		if isDir(filepath.Join(dir, name)) {
			there = append(there, name)
		}
	}
	if len(there) == 0 {
		there = []string{""}
	}
	if err := s.openFolders(ctx, dir, there); err != nil {
		return err
	}
	if n := len(s.entries); n != l.Images {
		s.Note = fmt.Sprintf("%s has %d files, the paper's %s has %d images", s.Name, n, l.Label, l.Images)
	}
	return nil
}
