package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/apisix/admin"
}

func options(rec Recorder, urls ...string) Options {
	return Options{Ref: "client/inet-1", Dialer: traffic.Here{}, URLs: urls, Key: "secret", Recorder: rec, Timeout: 5 * time.Second}
}

func client(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryCallIsOnRecordWithWhatWasSaid(t *testing.T) {
	rec := history.NewRecorder(history.NewClock())
	c := client(t, options(rec, serve(t, newRegister())))
	ctx := t.Context()
	zero, two := int64(0), int64(2)
	object := []byte(`{"a":1}`)
	rs := []Result{
		c.Get(ctx, "/routes/1"),
		c.Delete(ctx, "/routes/1"),
		c.Put(ctx, "/routes/1", object),
		c.Do(ctx, Call{Verb: Put, Key: "/routes/1", Object: object, IfMatch: &zero}),
		c.Put(ctx, "/routes/1", object),
		c.Get(ctx, "/routes/1"),
		c.Put(ctx, "/routes/1", []byte("{")),
		c.Do(ctx, Call{Verb: Delete, Key: "/routes/1", IfMatch: &two}),
	}
	want := []struct {
		verb    string
		outcome history.Outcome
		status  int
		rev     int64
		got     string
	}{
		{Get, history.OK, 404, 0, ""}, {Delete, history.Fail, 404, 0, ""}, {Put, history.OK, 201, 1, ""}, {Put, history.Fail, 412, 0, ""},
		{Put, history.OK, 200, 2, ""}, {Get, history.OK, 200, 2, `{"a":1}`}, {Put, history.Fail, 400, 0, ""}, {Delete, history.OK, 200, 3, ""},
	}
	calls := rec.Snapshot().AdminCalls
	if len(calls) != len(rs) {
		t.Fatalf("got %d calls on record, want %d", len(calls), len(rs))
	}
	for i, w := range want {
		r := rs[i]
		r.Seq = calls[i].Seq
		if r.Verb != w.verb || r.Outcome != w.outcome || r.Status != w.status || r.Rev != w.rev || string(r.Got) != w.got || (r.Err() == nil) != (w.outcome == history.OK) {
			t.Errorf("call %d: got %+v, want %+v", i, r.AdminCall, w)
		}
		if !reflect.DeepEqual(calls[i], r.AdminCall) || r.Client != "client/inet-1" || r.Key != "/routes/1" || r.Return < r.Call {
			t.Errorf("call %d: recorded %+v, returned %+v", i, calls[i], r.AdminCall)
		}
	}
}

func TestOutcomesSayOnlyWhatIsCertain(t *testing.T) {
	hijack := func(then func(*net.TCPConn)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			then(c.(*net.TCPConn))
			_ = c.Close()
		}
	}
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { say(w, code, body) }
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		put     history.Outcome
		get     history.Outcome
	}{
		"refused with a word":    {status(400, `{"error_msg":"no"}`), history.Fail, history.Fail},
		"wrong key":              {status(401, `{}`), history.Fail, history.Fail},
		"store is away":          {status(503, `{"error_msg":"etcd"}`), history.Info, history.Info},
		"not of the Admin API":   {status(404, "<html>"), history.Info, history.Info},
		"redirect":               {status(302, ""), history.Info, history.Info},
		"value is missing":       {status(200, "{}"), history.OK, history.Info},
		"reset":                  {hijack(func(c *net.TCPConn) { _ = c.SetLinger(0) }), history.Info, history.Info},
		"end without a word":     {hijack(func(*net.TCPConn) {}), history.Info, history.Info},
		"half an answer":         {hijack(func(c *net.TCPConn) { _, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")) }), history.OK, history.Info},
		"no answer in time":      {hijack(func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }), history.Info, history.Info},
		"head cut in the middle": {hijack(func(c *net.TCPConn) { _, _ = c.Write([]byte("HTTP/1.1 200 O")) }), history.Info, history.Info},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			next := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
			rec := history.NewRecorder(history.NewClock())
			o := options(rec, serve(t, c.handler), next)
			o.Timeout = 300 * time.Millisecond
			for verb, want := range map[string]history.Outcome{Put: c.put, Delete: c.put, Get: c.get} {
				r := client(t, o).Do(t.Context(), Call{Verb: verb, Key: "/routes/1", Object: []byte("{}")})
				if r.Outcome != want || (r.Error == "") != (want == history.OK) {
					t.Errorf("%s: got %s (%d, %s), want %s", verb, r.Outcome, r.Status, r.Error, want)
				}
			}
			if n := asked.Load(); n != 0 {
				t.Errorf("the next place was asked %d times after a call that may have happened", n)
			}
		})
	}
}

func TestPlacesThatCannotBeReachedArePassedOver(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	rec := history.NewRecorder(history.NewClock())
	alive := serve(t, newRegister())
	if r := client(t, options(rec, dead.URL, alive)).Put(t.Context(), "/routes/1", []byte("{}")); r.Outcome != history.OK || r.Error != "" || len(rec.Snapshot().AdminCalls) != 1 {
		t.Errorf("one dead, one alive: got %+v, want one call that went well", r.AdminCall)
	}
	if r := client(t, options(rec, dead.URL, dead.URL)).Put(t.Context(), "/routes/1", []byte("{}")); r.Outcome != history.Fail || !strings.Contains(r.Error, "refused") {
		t.Errorf("all dead: got %+v, want a certain failure", r.AdminCall)
	}
	// No answer to SYN is as certain.
	o := options(rec, "http://192.0.2.1:1/apisix/admin", alive)
	o.Timeout, o.Dialer = 50*time.Millisecond, blackHole{}
	if r := client(t, o).Put(t.Context(), "/routes/1", []byte("{}")); r.Outcome != history.OK {
		t.Errorf("a place without power: got %+v", r.AdminCall)
	}
	o.URLs = o.URLs[:1]
	if r := client(t, o).Put(t.Context(), "/routes/1", []byte("{}")); r.Outcome != history.Fail {
		t.Errorf("only a place without power: got %+v, want a certain failure", r.AdminCall)
	}
}

// blackHole answers nothing from 192.0.2.1.
type blackHole struct{ traffic.Here }

func (b blackHole) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	if to.Addr() == netip.MustParseAddr("192.0.2.1") {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return b.Here.Dial(ctx, network, to)
}

func edits() Edits { return Edits{Name: "edit", Editors: 5, Keys: 3, Calls: 60, Seed: 42} }

func TestEditorsOfARegisterFindOne(t *testing.T) {
	rec := history.NewRecorder(history.NewClock())
	o := options(rec, serve(t, newRegister()))
	e := edits()
	sum, err := Edit(t.Context(), o, e)
	h := rec.Snapshot()
	if err != nil || sum.Info != 0 || sum.OK+sum.Fail != 300 || len(h.AdminCalls) != 300 {
		t.Fatalf("got %+v, %v, %d on record, want 300 calls", sum, err, len(h.AdminCalls))
	}
	if v := check.AdminLinearizable().Check(h, check.Facts{}); v.State != check.Valid {
		t.Errorf("seed %d: %s, want valid", e.Seed, v)
	}
	// One call at a time, in the order that the seed says.
	last, next := map[string]time.Duration{}, map[string]int{}
	for _, a := range h.AdminCalls {
		who := string(a.Client)
		var editor int
		if _, err := fmt.Sscanf(who, "client/inet-1#%d", &editor); err != nil {
			t.Fatal(err)
		}
		want := e.Call(editor-1, next[who])
		if a.Call < last[who] || a.Verb != want.Verb || a.Key != want.Key || string(a.Object) != string(want.Object) {
			t.Fatalf("seed %d: call %d of %s is %s %s %s, want %+v", e.Seed, next[who], who, a.Verb, a.Key, a.Object, want)
		}
		last[who] = a.Return
		next[who]++
	}
	if len(next) != 5 {
		t.Errorf("got editors %v, want 5", next)
	}
}

func TestEditorsOfAStaleRegisterNotice(t *testing.T) {
	rec := history.NewRecorder(history.NewClock())
	s := newRegister()
	s.stale = true
	e := edits()
	if _, err := Edit(t.Context(), options(rec, serve(t, s)), e); err != nil {
		t.Fatal(err)
	}
	if v := check.AdminLinearizable().Check(rec.Snapshot(), check.Facts{}); v.State != check.Invalid {
		t.Errorf("seed %d: %s of a register that lies, want invalid", e.Seed, v)
	}
}

func TestEditsAreAFunctionOfTheSeed(t *testing.T) {
	all := func(e Edits) (out []string) {
		for editor := range e.Editors {
			for n := range 100 {
				c := e.Call(editor, n)
				out = append(out, fmt.Sprintf("%s %s %s", c.Verb, c.Key, c.Object))
			}
		}
		return out
	}
	e := edits()
	first := all(e)
	if !reflect.DeepEqual(first, all(e)) {
		t.Error("one seed, two loads")
	}
	e.Seed++
	if reflect.DeepEqual(first, all(e)) {
		t.Error("two seeds, one load")
	}
	counts, objects := map[string]int{}, map[string]bool{}
	for _, line := range first {
		verb, rest, _ := strings.Cut(line, " ")
		counts[verb]++
		if verb == Put && objects[rest] {
			t.Fatalf("%s is written twice", rest)
		}
		objects[rest] = true
	}
	// 500 calls: four standard deviations around 4/9, 4/9 and 1/9.
	if counts[Put] < 178 || counts[Put] > 267 || counts[Get] < 178 || counts[Get] > 267 || counts[Delete] < 27 || counts[Delete] > 84 {
		t.Errorf("seed 42: got %v", counts)
	}
}

func TestEditEndsWithItsContextAndCutsNoCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	entered := make(chan struct{}, 100)
	s := newRegister()
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-ctx.Done() // the answer comes when the load has been stopped
		s.ServeHTTP(w, r)
	})
	rec := history.NewRecorder(history.NewClock())
	e := edits()
	e.Calls, e.Deletes, e.Puts, e.PerSecond = 0, 0, 1, 100
	done := make(chan error, 1)
	go func() {
		sum, err := Edit(ctx, options(rec, serve(t, slow)), e)
		if sum != (Tally{OK: 5}) {
			err = errors.Join(err, fmt.Errorf("got %+v, want the five calls under way to end well", sum))
		}
		done <- err
	}()
	for range 5 {
		<-entered
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	rec := history.NewRecorder(history.NewClock())
	for name, o := range map[string]Options{
		"no URL": options(rec), "a name": options(rec, "http://admin:9180/apisix/admin"), "no port": options(rec, "http://192.0.2.1/apisix/admin"),
		"https": options(rec, "https://192.0.2.1:1/x"), "slash": options(rec, "http://192.0.2.1:1/"), "no dialer": {Recorder: rec, URLs: []string{"http://192.0.2.1:1"}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no complaint", name)
		}
	}
	for name, change := range map[string]func(*Edits){
		"no editors": func(e *Edits) { e.Editors = 0 }, "too many": func(e *Edits) { e.Editors = MaxEditors + 1 }, "no keys": func(e *Edits) { e.Keys = 0 },
		"no name": func(e *Edits) { e.Name = "" }, "bad name": func(e *Edits) { e.Name = "a/b" }, "negative share": func(e *Edits) { e.Gets = -1 },
	} {
		e := edits()
		change(&e)
		if _, err := Edit(t.Context(), options(rec, "http://192.0.2.1:1/x"), e); err == nil {
			t.Errorf("%s: no complaint", name)
		}
	}
}
