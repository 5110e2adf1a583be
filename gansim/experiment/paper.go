package experiment

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
	fidColumns = []string{"ImageNet-like", "THINGS-like", "COCO-like", "EcoSet-like"}
	fidTable   = map[string][4]float64{
		"DeePSim":     {242.09, 247.41, 223.55, 236.03},
		"BigGAN":      {12.15, 37.15, 65.17, 37.31},
		"BigGAN-RND":  {47.74, 50.29, 56.87, 51.32},
		"Pink noise":  {377.35, 394.88, 440.16, 401.67},
		"THINGS-like": {21.79, -.02, 45.89, 13.46},
		"COCO-like":   {43.59, 45.89, -.02, 43.30},
		"EcoSet-like": {21.13, 13.46, 43.31, -.02},
	}
)

// paperFID is the published distance of set b to the natural set a, nil where there is none.
func paperFID(a, b string) *float64 {
	row, ok := fidTable[b]
	if !ok {
		return nil
	}
	for i, c := range fidColumns {
		if c == a {
			return &row[i]
		}
	}
	return nil
}
