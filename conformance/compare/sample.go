package compare

import "time"

// A Sample is what a short load of one build gave.
type Sample struct {
	P50       time.Duration `json:"p50" yaml:"p50"`
	P99       time.Duration `json:"p99" yaml:"p99"`
	PerSecond float64       `json:"per_second" yaml:"perSecond"` // requests that were answered well
	CPU       time.Duration `json:"cpu" yaml:"cpu"`              // of all gateway processes, for one request
	RSS       int64         `json:"rss" yaml:"rss"`              // bytes, of all gateway processes at the end
	Failed    int           `json:"failed" yaml:"failed"`        // requests that were not answered well
}

// A Pair is a sample of each build, taken one after the other.
type Pair struct {
	Series int    `json:"series" yaml:"series"` // 1, and 2 for those that were to confirm a difference
	Base   Sample `json:"base" yaml:"base"`
	Head   Sample `json:"head" yaml:"head"`
}
