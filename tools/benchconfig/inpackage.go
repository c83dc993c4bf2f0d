package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/stage"
)

// measurePackage runs the benchmarks of one change and of one match in impl/config,
// each turn with the routes of the one before.
func measurePackage(ctx context.Context, b *bench, got *result) error {
	turns := strconv.Itoa(b.pick(11, 3))
	for _, one := range []struct{ name, times string }{{"ChangeOfOneRoute", "2000x"}, {"MatchAmongRoutes", "300000x"}} {
		lines, noise, err := b.packageBench(ctx, one.name, one.times, turns)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if one.name == "ChangeOfOneRoute" {
				got.turn("change-one", figure.Turn{Value: l["median-ns"] / 1000, Noise: noise})
				got.beside("change-one", "allocations", l["allocs/op"])
				got.beside("change-one", "allocated_bytes", l["B/op"])
				continue
			}
			got.turn("match", figure.Turn{Value: l["match-ns"] / 1000, Noise: noise})
			got.beside("match", "last_median_us", l["median-ns"]/1000)
			got.turn("match-allocs", figure.Turn{Value: l["allocs/op"], Noise: noise})
		}
		b.dot()
	}
	return nil
}

// measureMemory builds all routes once and looks at the heap.
func measureMemory(ctx context.Context, b *bench, got *result) error {
	lines, noise, err := b.packageBench(ctx, "MemoryOfRoutes", "1x", "1")
	if err != nil {
		return err
	}
	for _, l := range lines {
		got.turn("index-bytes", figure.Turn{Value: l["index-B/route"], Noise: noise})
		got.beside("index-bytes", "snapshot_bytes", l["B/route"])
		got.beside("index-bytes", "stored_bytes", l["stored-B/route"])
	}
	return nil
}

// packageBench runs a benchmark of impl/config so often and returns the figures of
// each time, and what else the machine did meanwhile.
func (b *bench) packageBench(ctx context.Context, name, times, count string) ([]map[string]float64, stage.Used, error) {
	before, err := b.groups.Count("")
	if err != nil {
		return nil, stage.Used{}, err
	}
	cmd := exec.Command(filepath.Join(b.bin, "config.bench"), "-test.run=^$", "-test.bench=^Benchmark"+name+"$", "-test.benchtime="+times, "-test.count="+count, "-test.timeout=5m")
	text, err := b.spawn.Run(ctx, cmd, b.place("load"))
	if err != nil {
		return nil, stage.Used{}, err
	}
	after, err := b.groups.Count("")
	if err != nil {
		return nil, stage.Used{}, err
	}
	lines, err := parseBench(text, name)
	return lines, after.Since(before), err
}

// parseBench reads the lines of a benchmark: its name, how often, and then figures with
// their units.
func parseBench(text, name string) (out []map[string]float64, err error) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark"+name) {
			continue
		}
		figures := map[string]float64{}
		for i := 2; i+1 < len(f); i += 2 {
			if figures[f[i+1]], err = strconv.ParseFloat(f[i], 64); err != nil {
				return nil, fmt.Errorf("read %q: %w", line, err)
			}
		}
		out = append(out, figures)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("benchmark %s printed no figures: %q", name, text)
	}
	return out, nil
}
