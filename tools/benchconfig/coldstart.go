package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/stage"
)

// gatewayNames are the four that a write must come into force on.
var gatewayNames = []string{"gw1", "gw2", "gw3", "gw4"}

// measureColdStart starts gateways one after the other, and looks at the memory of the
// first once it has collected.
func measureColdStart(ctx context.Context, b *bench, got *result) error {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	if err := l.stopAll(); err != nil {
		return err
	}
	names := append([]string{"first"}, gatewayNames...)
	for _, name := range names[:b.pick(len(names), 2)] {
		var g *gateway
		start := time.Now()
		t, err := b.during(func() (float64, error) {
			var err error
			if g, err = l.gateway(ctx, name); err != nil {
				return 0, err
			}
			return g.cpu.Seconds(), nil
		})
		if err != nil {
			return err
		}
		got.turn("cold-start", t)
		got.beside("cold-start", "last_wall_s", time.Since(start).Seconds())
		if name == "first" {
			if err := l.memoryRows(ctx, g, t, got); err != nil {
				return err
			}
			if err := l.stop(name); err != nil {
				return err
			}
		}
		b.dot()
	}
	return nil
}

// memoryRows looks at the memory of a gateway.
func (l *lab) memoryRows(ctx context.Context, g *gateway, t figure.Turn, got *result) error {
	live, resident, err := l.memoryOf(ctx, g)
	if err != nil {
		return err
	}
	t.Value = stage.SixDigits((live - float64(l.stored)) / float64(l.routes))
	got.turn("route-bytes", t)
	got.beside("route-bytes", "stored_bytes", stage.SixDigits(float64(l.stored)/float64(l.routes)))
	got.beside("route-bytes", "resident_MiB", resident)
	return nil
}

// memoryOf is the live heap of a gateway, in bytes, and what it has resident. The
// process is made to collect by asking for what takes it much to answer; the smallest
// heap between two collections is what is live, and little more.
func (l *lab) memoryOf(ctx context.Context, g *gateway) (live, resident float64, err error) {
	const most = 3000
	first, least := -1.0, 0.0
	for range most {
		m, err := scrape(ctx, g.status)
		if err != nil {
			return 0, 0, err
		}
		cycles, heap := m["go_gc_duration_seconds_count"], m["go_memstats_heap_alloc_bytes"]
		if heap == 0 {
			return 0, 0, errors.New("the gateway does not tell its heap")
		}
		if first < 0 {
			first = cycles
		}
		if cycles > first && (least == 0 || heap < least) {
			least = heap
		}
		if cycles >= first+2 {
			return least, stage.SixDigits(m["process_resident_memory_bytes"] / (1 << 20)), nil
		}
		if err := discard(ctx, "http://"+g.status+"/status/config"); err != nil {
			return 0, 0, err
		}
	}
	return 0, 0, fmt.Errorf("%s does not collect", g.name)
}
