package experiment

import (
	"fmt"
	"strings"
)

// Condition is a way of making images that panel A or its source code names
// (Animadversio/Neuro-ActMax-GAN-comparison, core/GAN_sampling_O2.py).
type Condition struct {
	Name   string // of the set in the code
	Label  string // in the figures
	Family string // of the generator: "DeePSim" or "BigGAN"; empty for noise
	Recipe string // of the generator's codes
	Noise  string // "pink" or "white"; empty for generators
	Blur   bool   // the images are blurred: see BlurSigma
	Images int    // that the paper's code has of it
}

// BlurRadius and BlurSigma are those of the condition BigGAN_Blur, pixels of an image of 256: a kernel
// of 15 x 15.
const (
	BlurRadius = 7
	BlurSigma  = 9.
)

// Conditions lists them. Two of the code's are missing, because nothing draws them: FC_invert_BigGAN,
// 21,000 images of BigGAN_1000cls_std07 inverted into fc6, is what gansim invert makes of a folder, and
// resnet50_linf8_gradevol what gansim maximize does.
func Conditions() []Condition {
	return []Condition{
		{Name: "DeePSim_4std", Label: "DeePSim", Family: "DeePSim", Recipe: "std4", Images: 50000},
		{Name: "BigGAN_trunc07", Label: "BigGAN", Family: "BigGAN", Recipe: "trunc0.7", Images: 50000},
		{Name: "BigGAN_std_008", Label: "BigGAN-RND", Family: "BigGAN", Recipe: "random", Images: 50000},
		{Name: "BigGAN_1000cls_std07", Label: "BigGAN-orig", Family: "BigGAN", Recipe: "std0.7", Images: 21000},
		{Name: "BigGAN_1000cls_std10", Label: "BigGAN, 1.0 noise", Family: "BigGAN", Recipe: "std1", Images: 50000},
		{Name: "BigGAN_norm_std07", Label: "BigGAN, 0.7 normal", Family: "BigGAN", Recipe: "norm0.7", Images: 50000},
		{Name: "BigGAN_norm_std12", Label: "BigGAN, 1.2 normal", Family: "BigGAN", Recipe: "norm1.2", Images: 50000},
		{Name: "BigGAN_Blur", Label: "BigGAN-Blur", Family: "BigGAN", Recipe: "std0.7", Blur: true, Images: 21000},
		{Name: "pink_noise", Label: "Pink noise", Noise: "pink", Images: 50000},
		{Name: "white_noise", Label: "White noise", Noise: "white", Images: 50000},
	}
}

// FindCondition gives a condition by name, in any case; an unknown name is an error that lists the
// known ones.
func FindCondition(name string) (Condition, error) {
	var known []string
	for _, c := range Conditions() {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
		known = append(known, c.Name)
	}
	return Condition{}, fmt.Errorf("experiment: no condition %q, known are %s", name,
		strings.Join(known, ", "))
}
