package ingraph

// Settings are the constants of torch.optim's optimisers under their names there. Each rule uses
// some of them and takes zeros as they are; see [Rule.Defaults].
type Settings struct {
	LR           float64    `json:"lr"`
	WeightDecay  float64    `json:"weight_decay"`
	Decoupled    bool       `json:"decoupled_weight_decay"` // decay the values, not the gradient
	Maximize     bool       `json:"maximize"`
	Eps          float64    `json:"eps"`
	Momentum     float64    `json:"momentum"`
	Dampening    float64    `json:"dampening"` // of the momentum's new part, but for the first step
	Nesterov     bool       `json:"nesterov"`
	Betas        [2]float64 `json:"betas"`
	AMSGrad      bool       `json:"amsgrad"`
	MomentumFade float64    `json:"momentum_decay"` // NAdam's psi
	Alpha        float64    `json:"alpha"`          // RMSprop's memory
	Centered     bool       `json:"centered"`
	LRDecay      float64    `json:"lr_decay"`
	Accumulator  float64    `json:"initial_accumulator_value"`
	Rho          float64    `json:"rho"`        // Adadelta's memory
	Etas         [2]float64 `json:"etas"`       // Rprop's factors after a turn and otherwise
	StepSizes    [2]float64 `json:"step_sizes"` // Rprop's smallest and largest
}

// adam are the defaults that Adam and its relatives share.
func adam(lr float64) Settings { return Settings{LR: lr, Betas: [2]float64{.9, .999}, Eps: 1e-8} }

// Rules are the optimisers of torch.optim by the names of their classes in lower case.
func Rules() map[string]Rule {
	decoupled, nadam := adam(1e-3), adam(2e-3)
	decoupled.WeightDecay, decoupled.Decoupled, nadam.MomentumFade = .01, true, 4e-3
	return map[string]Rule{
		"sgd":      {Settings{LR: 1e-3}, zeros(1), sgd},
		"adam":     {adam(1e-3), zeros(3), adamStep},
		"adamw":    {decoupled, zeros(3), adamStep},
		"adamax":   {adam(2e-3), zeros(2), adamax},
		"nadam":    {nadam, func(Settings) []float64 { return []float64{0, 0, 1} }, nadamStep},
		"radam":    {adam(1e-3), zeros(2), radam},
		"rmsprop":  {Settings{LR: .01, Alpha: .99, Eps: 1e-8}, zeros(3), rmsprop},
		"adadelta": {Settings{LR: 1, Rho: .9, Eps: 1e-6}, zeros(2), adadelta},
		"adagrad": {Settings{LR: .01, Eps: 1e-10},
			func(s Settings) []float64 { return []float64{s.Accumulator} }, adagrad},
		"rprop": {Settings{LR: .01, Etas: [2]float64{.5, 1.2}, StepSizes: [2]float64{1e-6, 50}},
			func(s Settings) []float64 { return []float64{0, s.LR} }, rprop},
	}
}

func zeros(n int) func(Settings) []float64 {
	return func(Settings) []float64 { return make([]float64, n) }
}
