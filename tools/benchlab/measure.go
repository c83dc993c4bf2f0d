package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Measurement is something that can be measured again and again. Run makes one
// run, from nothing to nothing, and returns its samples. What is compared is
// measured in turn within one run, so that its ratio has one machine's noise.
type Measurement struct {
	Name   string
	About  string
	Runs   int              // when -repeat does not say; at least 1
	Limits map[string]Limit // by the name of a sample; held against the median
	Run    func(context.Context, Settings) ([]Sample, error)
	// Detail says what was compared with what on this machine; nil: nothing to say.
	Detail func() string
}

// A Sample is a figure of one run.
type Sample struct {
	Name  string // below the measurement's name: "cpu"
	Unit  string
	Value float64
}

// A Row is a figure of all runs. A figure that has a limit and could not be
// measured here is a row with N 0 and no Spread; Detail says why. The first row of a
// measurement has its Detail, too.
type Row struct {
	Name    string `json:"name"`
	Unit    string `json:"unit,omitempty"`
	*Spread        // nil when N is 0
	N       int    `json:"n"` // runs
	Limit   *Limit `json:"limit,omitempty"`
	OK      *bool  `json:"ok,omitempty"` // whether the median keeps the limit
	Noise   Noise  `json:"noise"`        // during these runs
	Detail  string `json:"detail,omitempty"`
}

// A Spread is the middle and the ends of all runs.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// missed reports whether the row has a limit that its median does not keep.
func (r Row) missed() bool { return r.OK != nil && !*r.OK }

// repeat makes n runs and puts their samples together.
func (m Measurement) repeat(ctx context.Context, s Settings, n int) ([]Row, error) {
	var order []Sample // the first of each name
	values := map[string][]float64{}
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
				order = append(order, x)
			}
			values[x.Name] = append(values[x.Name], x.Value)
			line += fmt.Sprintf("  %s %.4g %s", x.Name, x.Value, x.Unit)
		}
		fmt.Fprintln(s.Log, line)
	}
	after, err := readMachine()
	if err != nil {
		return nil, err
	}
	return m.rows(order, values, after.since(before)), nil
}

func (m Measurement) rows(order []Sample, values map[string][]float64, noise Noise) []Row {
	detail := ""
	if m.Detail != nil {
		detail = m.Detail()
	}
	var rows []Row
	for _, x := range order {
		vs := values[x.Name]
		slices.Sort(vs)
		r := Row{
			Name: m.Name + "/" + x.Name, Unit: x.Unit, N: len(vs), Noise: noise,
			Spread: &Spread{Median: sixDigits(median(vs)), Min: sixDigits(vs[0]), Max: sixDigits(vs[len(vs)-1])},
		}
		if l, ok := m.Limits[x.Name]; ok {
			kept := l.keeps(r.Median)
			r.Limit, r.OK = &l, &kept
		}
		rows = append(rows, r)
	}
	if len(rows) > 0 {
		rows[0].Detail = detail // it is the same for all
	}
	for name, l := range m.Limits {
		if values[name] == nil {
			rows = append(rows, Row{Name: m.Name + "/" + name, Limit: &l, Noise: noise, Detail: detail})
		}
	}
	return rows
}

// A Limit is what a figure is to keep on a quiet machine. As JSON it is a text,
// such as "<= 2".
type Limit struct {
	Least bool // the figure is to be at least the bound; else at most
	Bound float64
}

func atMost(v float64) Limit  { return Limit{Bound: v} }
func atLeast(v float64) Limit { return Limit{Least: true, Bound: v} }

func (l Limit) keeps(v float64) bool {
	if l.Least {
		return v >= l.Bound
	}
	return v <= l.Bound
}

func (l Limit) String() string {
	if l.Least {
		return fmt.Sprintf(">= %g", l.Bound)
	}
	return fmt.Sprintf("<= %g", l.Bound)
}

// MarshalText is String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// choose finds the named measurements; all of them when none is named. The end of
// a name may be left out: "up-" is all labs.
func choose(names string) ([]Measurement, error) {
	if names == "" {
		return measurements, nil
	}
	var out []Measurement
	for name := range strings.SplitSeq(names, ",") {
		var found []Measurement
		for _, m := range measurements {
			if m.Name == name {
				found = []Measurement{m}
				break
			}
			if name != "" && strings.HasPrefix(m.Name, name) {
				found = append(found, m)
			}
		}
		if found == nil {
			return nil, fmt.Errorf("no measurement %q; -list names them", name)
		}
		out = append(out, found...)
	}
	return out, nil
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

// sixDigits leaves what a measurement can mean, so that results can be read and
// compared line by line.
func sixDigits(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// ratio says how many times b is of a. That there is nothing to divide by is a
// mistake of the measurement, never a figure.
func ratio(b, a float64) (float64, error) {
	if a <= 0 {
		return 0, errors.New("a ratio to nothing")
	}
	return b / a, nil
}
