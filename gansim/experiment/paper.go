package experiment

import (
	"math"
	"slices"
)

// The paper's numbers: the legend of Extended Data Fig. 1, and for FID the tables printed by the
// authors' notebook (NAG:notebooks/FID_IS_additional_analysis.ipynb).

// Panel C: medians of Pearson's r, their standard errors, and the signed-rank test.
const (
	paperRDeePSim = .89
	paperRBigGAN  = .60
	paperPhotos   = 101
)

// Panel D: medians of the activation score and the rank-sum test's effect size.
const (
	paperScoreDeePSim = 5.22
	paperScoreBigGAN  = 1.115
	paperRuns         = 97730
	paperEffect       = -.533
)

// Panel B: units, and images of the last generation.
const (
	paperUnits  = 91
	paperImages = 3640
)

var (
	// fidColumns are the natural sets of the notebook's table, by the names of their layouts.
	fidColumns = []string{"imagenet", "things", "coco", "ecoset"}
	// fidTable is that table, but for the sets with themselves (-0.02, numerical noise). Rows are
	// conditions, evolved and inverted images, and natural sets.
	fidTable = map[string][4]float64{
		"DeePSim_4std":                    {242.09, 247.41, 223.55, 236.03},
		"BigGAN_trunc07":                  {12.15, 37.15, 65.17, 37.31},
		"BigGAN_std_008":                  {47.74, 50.29, 56.87, 51.32},
		"resnet50_linf8_gradevol":         {42.79, 60.12, 74.01, 55.23},
		"resnet50_linf8_gradevol_avgpool": {102.51, 104.47, 106.46, 97.18},
		"resnet50_linf8_gradevol_layer3":  {195.64, 194.44, 176.95, 185.94},
		"FC_invert_BigGAN":                {154.06, 155.93, 148.95, 149.05},
		"BigGAN_1000cls_std07":            {10.05, 32.54, 56.40, 32.11},
		"BigGAN_Blur":                     {62.16, 74.75, 91.51, 64.08},
		"pink_noise":                      {377.35, 394.88, 440.16, 401.67},
		"things":                          {21.79, math.NaN(), 45.89, 13.46},
		"coco":                            {43.59, 45.89, math.NaN(), 43.30},
		"ecoset":                          {21.13, 13.46, 43.31, math.NaN()},
	}
	// fidNames are the names of panel A's sets in that table.
	fidNames = map[string]string{"DeePSim": "DeePSim_4std", "BigGAN": "BigGAN_trunc07",
		"BigGAN-RND": "BigGAN_std_008", "BigGAN-Blur": "BigGAN_Blur", "Pink noise": "pink_noise",
		"ImageNet-like": "imagenet", "THINGS-like": "things", "COCO-like": "coco", "EcoSet-like": "ecoset",
		"ImageNet": "imagenet", "THINGS": "things", "COCO": "coco", "EcoSet": "ecoset"}
)

// PublishedFID is the distance that the authors' notebook prints for two sets, in either order; nil
// where it prints none. Sets are named as conditions (see [Conditions]) and layouts (dataset.Layouts).
func PublishedFID(a, b string) *float64 {
	for range 2 {
		if row, ok := fidTable[b]; ok {
			if i := slices.Index(fidColumns, a); i >= 0 && !math.IsNaN(row[i]) {
				return &row[i]
			}
		}
		a, b = b, a
	}
	return nil
}

// paperFID is the published distance of set b of panel A to the natural set a, nil where there is
// none.
func paperFID(a, b string) *float64 { return PublishedFID(fidNames[a], fidNames[b]) }
