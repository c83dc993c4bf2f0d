package main

import (
	"context"
	"fmt"
	"slices"
)

// A Measurement is something that can be measured again and again. Run makes one
// run, from nothing to nothing, and returns its samples; every run returns
// samples of the same names.
type Measurement struct {
	Name  string
	About string
	Run   func(context.Context, Settings) ([]Sample, error)
}

// A Sample is a figure of one run.
type Sample struct {
	Name  string // below the measurement's name: "cpu"
	Unit  string
	Value float64
}

// A Row is a figure of all runs.
type Row struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"` // the median
	Unit  string  `json:"unit"`
	Noise Noise   `json:"noise"`
}

// Noise says how far a figure can be believed.
type Noise struct {
	Runs   int     `json:"runs"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Stolen float64 `json:"stolen"` // share of the machine's time that its host took away during the runs, 0 to 1
	Others float64 `json:"others"` // cores that other processes of the machine used during the runs
}

// repeat makes n runs and puts their samples together.
func (m Measurement) repeat(ctx context.Context, s Settings, n int) ([]Row, error) {
	var names []string
	values, units := map[string][]float64{}, map[string]string{}
	before, err := readMachine()
	if err != nil {
		return nil, err
	}
	for i := range n {
		samples, err := m.Run(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("measure %s, run %d of %d: %w", m.Name, i+1, n, err)
		}
		line := fmt.Sprintf("%s %d/%d", m.Name, i+1, n)
		for _, x := range samples {
			if values[x.Name] == nil {
				names = append(names, x.Name)
			}
			values[x.Name], units[x.Name] = append(values[x.Name], x.Value), x.Unit
			line += fmt.Sprintf("  %s %.4g %s", x.Name, x.Value, x.Unit)
		}
		fmt.Fprintln(s.Log, line)
	}
	after, err := readMachine()
	if err != nil {
		return nil, err
	}
	noise := after.since(before)
	var rows []Row
	for _, name := range names {
		vs := values[name]
		slices.Sort(vs)
		noise.Runs, noise.Min, noise.Max = len(vs), vs[0], vs[len(vs)-1]
		rows = append(rows, Row{Name: m.Name + "/" + name, Value: median(vs), Unit: units[name], Noise: noise})
	}
	return rows, nil
}

// median of sorted values, at least one.
func median(vs []float64) float64 {
	n := len(vs)
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

// quantile of values, at least one; it sorts them.
func quantile(vs []float64, q float64) float64 {
	slices.Sort(vs)
	return vs[min(len(vs)-1, int(q*float64(len(vs))))]
}
