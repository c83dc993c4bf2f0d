package health

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestHugeIntervalAndTimeoutAreLongNotShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := spec("http")
		a.Timeout, a.Healthy.Interval, a.Unhealthy.Interval = 1e11, 10_000_000_000, 1<<63-1
		c := NewCheck(a, "a")
		for name, d := range map[string]time.Duration{"timeout": c.Timeout, "healthy": c.HealthyInterval, "unhealthy": c.UnhealthyInterval} {
			if d != 1<<63-1 {
				t.Errorf("%s is %v, want the longest there is", name, d)
			}
		}
		p := newScript()
		p.set("a", Success)
		r := registry(p)
		defer r.Close()
		st := r.Set("upstreams/1", []Subject{{Host: "a", Port: 80, Check: c}})[0]
		advance(time.Hour)
		synctest.Wait()
		if p.count("a") != 1 || !st.Usable() {
			t.Errorf("%d probes in an hour, %v; want one, usable", p.count("a"), st)
		}
	})
}

func TestNoCheckProbesWithoutPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCheck(spec("http"), "a")
		c.HealthyInterval, c.UnhealthyInterval = 0, -time.Second
		p := newScript()
		p.set("a", Success)
		p.set("b", TCPFailure)
		r := registry(p)
		defer r.Close()
		r.Set("upstreams/1", []Subject{{Host: "a", Port: 80, Check: c}, {Host: "b", Port: 80, Check: c}})
		// With no floor the clock of the bubble never gets that far.
		advance(firstDelay + 9*minInterval)
		synctest.Wait()
		if a, b := p.count("a"), p.count("b"); a != 10 || b != 10 {
			t.Errorf("%d and %d probes, want 10: one every %v", a, b, minInterval)
		}
	})
}

func TestTargetsThatCameLaterShareTheBoundOfTheirUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newScript()
		r := registry(p)
		defer r.Close()
		one := spec("tcp")
		one.Concurrency = 1
		c := NewCheck(one, "")
		var subjects []Subject
		p.hang["a"], p.hang["b"], p.hang["c"] = true, true, true
		for _, host := range []string{"a", "b", "c"} { // one more with each change
			subjects = append(subjects, Subject{Host: host, Port: 80, Check: c})
			r.Set("upstreams/1", subjects)
		}
		advance(20 * time.Second)
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.most != 1 {
			t.Errorf("%d probes of one upstream in flight, want 1", p.most)
		}
	})
}
