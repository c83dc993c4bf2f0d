package check

import (
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// config writes down how a configuration changed and what was seen of it.
type config struct{ run }

func (c *config) write(rev int64, at time.Duration, o history.Outcome, edit func(*history.Write)) *config {
	w := history.Write{Seq: uint64(len(c.h.Writes) + 1), Rev: rev, Call: at, Return: at + ms, Outcome: o}
	edit(&w)
	c.h.Writes = append(c.h.Writes, w)
	return c
}

func goes(prefix, group string) func(*history.Write) {
	return func(w *history.Write) { w.Routes = &history.Routes{Host: "Shop", Prefix: prefix, Group: group} }
}

func holds(group string, bs ...topology.Ref) func(*history.Write) {
	return func(w *history.Write) { w.Holds = &history.Holds{Group: group, Backends: bs} }
}

func (c *config) sees(at time.Duration, target string, b topology.Ref) *config {
	c.op(at, by(b), func(o *history.Op) { o.Request.Target = target })
	c.h.Arrivals[len(c.h.Arrivals)-1].Seen.Target = target
	return c
}

func TestNoTornConfig(t *testing.T) {
	const ok, info, fail = history.OK, history.Info, history.Fail
	// Group a holds 1, then 2, then 3; the route leaves it for b between 2 and 3.
	begin := func(revs bool) *config {
		c := &config{}
		for i, edit := range []func(*history.Write){holds("a", "1"), holds("b", "9"), goes("/", "a"), holds("a", "2"), goes("/", "b"), holds("a", "3")} {
			rev := int64(0)
			if revs {
				rev = int64(10 + i)
			}
			c.write(rev, time.Duration(i)*10*ms, ok, edit)
		}
		return c
	}
	for name, revs := range map[string]bool{"by revision": true, "by time": false} {
		t.Run(name, func(t *testing.T) {
			for name, c := range map[string]struct {
				c    *config
				want want
			}{
				"each state":         {begin(revs).sees(25*ms, "/", "1").sees(35*ms, "/", "2").sees(60*ms, "/x", "9"), want{Valid, "3 requests, 6 states"}},
				"late but whole":     {begin(revs).sees(25*ms, "/", "1").sees(time.Second, "/", "2").sees(2*time.Second, "/", "9"), want{Valid, ""}},
				"torn":               {begin(revs).sees(25*ms, "/", "1").sees(60*ms, "/", "3"), want{Invalid, "reached 3, and no state of the configuration sends it there: shop/ went to a "}},
				"torn, answer lost":  {lostAt(begin(revs).sees(25*ms, "/", "1"), "3"), want{Invalid, "reached 3"}},
				"held by nobody":     {begin(revs).sees(25*ms, "/", "7"), want{Invalid, "nobody held it"}},
				"one state only":     {begin(revs).sees(25*ms, "/", "1").sees(26*ms, "/", "1"), want{Unknown, "one state of the configuration only"}},
				"before the route":   {begin(revs).sees(ms, "/", "7"), want{Unknown, "nothing was examined"}},
				"another host":       {begin(revs).op2(60*ms, "games", "7"), want{Unknown, "nothing was examined"}},
				"no requests":        {begin(revs), want{Unknown, "nothing was examined"}},
				"refused write":      {begin(revs).write(0, 60*ms, fail, holds("b", "8")).sees(25*ms, "/", "1").sees(70*ms, "/", "8"), want{Invalid, "reached 8"}},
				"doubtful write may": {begin(revs).write(0, 60*ms, info, holds("b", "8")).sees(25*ms, "/", "1").sees(70*ms, "/", "8").sees(80*ms, "/", "9"), want{Valid, ""}},
				"doubtful write was not before": {begin(revs).write(0, 60*ms, info, holds("a", "8")).sees(25*ms, "/", "1").sees(70*ms, "/", "8"),
					want{Invalid, "a held it perhaps since"}},
				"unknown group":        {begin(revs).write(rev(revs, 20), 60*ms, ok, goes("/", "old")).sees(25*ms, "/", "1").sees(70*ms, "/", "whoever"), want{Unknown, ""}},
				"longer prefix wins":   {begin(revs).write(rev(revs, 20), 60*ms, ok, goes("/img", "a")).sees(25*ms, "/", "1").sees(70*ms, "/img/1", "3").sees(80*ms, "/", "9"), want{Valid, ""}},
				"longer prefix shades": {begin(revs).write(rev(revs, 20), 60*ms, ok, goes("/img", "a")).write(rev(revs, 21), 70*ms, ok, holds("b", "10")).sees(25*ms, "/", "1").sees(80*ms, "/img/1", "10"), want{Invalid, "reached 10"}},
				"longer prefix deleted": {begin(revs).write(rev(revs, 20), 60*ms, ok, goes("/img", "a")).write(rev(revs, 21), 70*ms, ok, goes("/img", "")).write(rev(revs, 22), 80*ms, ok, holds("b", "10")).
					sees(25*ms, "/", "1").sees(90*ms, "/img/1", "10"), want{Valid, ""}},
			} {
				t.Run(name, func(t *testing.T) { judge(t, NoTornConfig(), c.c.h, c.want) })
			}
		})
	}
	judge(t, NoTornConfig(), (&edits{}).write(1, 0, ms, ok, "blue").sees(10*ms, "blue", "100.127.0.1").h, want{Unknown, "no write says which route"})
}

// Where revisions are missing, writes that overlap may have come in either order.
func TestOverlappingWritesWithoutRevisionsMayHaveComeInAnyOrder(t *testing.T) {
	c := (&config{}).write(0, 0, history.OK, holds("a", "1")).write(0, 0, history.OK, holds("b", "9")).write(0, 10*ms, history.OK, goes("/", "a"))
	c.write(0, 20*ms, history.OK, goes("/", "b")).write(0, 20*ms+ms/2, history.OK, holds("a", "2")).write(0, 50*ms, history.OK, holds("b", "10"))
	judge(t, NoTornConfig(), c.sees(15*ms, "/", "1").sees(30*ms, "/", "2").sees(40*ms, "/", "9").sees(60*ms, "/", "10").h, want{Valid, ""})
	c.h.Writes[4].Call, c.h.Writes[4].Return = 22*ms, 23*ms
	judge(t, NoTornConfig(), c.h, want{Invalid, "reached 2"})
}

func rev(revs bool, n int64) int64 {
	if revs {
		return n
	}
	return 0
}

func (c *config) op2(at time.Duration, host string, b topology.Ref) *config {
	c.op(at, by(b), func(o *history.Op) { o.Request.Host = host })
	return c
}

func lostAt(c *config, b topology.Ref) *config {
	c.op(60*ms, lost).arrive(b, 0, "100.127.0.1")
	return c
}
