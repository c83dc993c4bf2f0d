package spec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/tools/txtar"

	"github.com/unilb/unilb/sim/history"
)

// Prepare starts the backends that the case declares, writes its Objects and
// waits until they are in force. Like Fatalf and Brokenf it may end the case.
func (t *T) Prepare(ctx context.Context, c Case) {
	t.needs = c.Needs
	if c.Backends > 0 {
		t.back = t.Start(ctx, Want{N: c.Backends})
		for _, b := range t.back {
			t.vars.Backends = append(t.vars.Backends, b.Addr.String())
		}
	}
	for range c.Played {
		t.open(ctx)
	}
	if c.Objects == "" {
		return
	}
	for _, f := range txtar.Parse([]byte(c.Objects)).Files {
		path, body := t.Render(f.Name), t.Render(string(f.Data))
		t.Put(ctx, path, body)
	}
	t.Wait(ctx)
}

// open opens a listener for a backend that the case plays itself.
func (t *T) open(ctx context.Context) {
	l, b, err := t.env.Listen(ctx, "")
	if err != nil {
		t.Brokenf("open a listener: %v", err)
	}
	t.Cleanup(func(context.Context) error {
		_ = l.Close() // who plays the backend may have closed it
		return nil
	})
	t.played = append(t.played, Stage{l, b})
	t.vars.Played = append(t.vars.Played, b.Addr.String())
}

// Render fills a template with the case's Vars.
func (t *T) Render(text string) string {
	tmpl, err := template.New("object").Option("missingkey=error").Parse(text)
	if err != nil {
		t.Brokenf("object template: %v", err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, t.vars); err != nil {
		t.Brokenf("object template: %v", err)
	}
	return b.String()
}

// Start runs more backends until the case ends.
func (t *T) Start(ctx context.Context, w Want) []Backend {
	bs, err := t.env.Start(ctx, w)
	for _, b := range bs {
		t.Cleanup(func(context.Context) error { return b.Server.Close() })
	}
	if err != nil {
		t.Brokenf("start backends: %v", err)
	}
	if len(bs) != w.N {
		t.Brokenf("start backends: got %d, want %d", len(bs), w.N)
	}
	return bs
}

// Call calls the Admin API; only the lack of an answer ends the case.
func (t *T) Call(ctx context.Context, c Call) Reply {
	r, err := t.env.Admin().Do(ctx, c)
	switch {
	case err != nil && ctx.Err() != nil:
		t.Fatalf("%s %s: the time of the case is over: %v", c.Method, c.Path, err)
	case err != nil:
		t.Brokenf("%v", err)
	}
	t.note(r)
	return r
}

func (t *T) note(r Reply) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rev = max(t.rev, r.Revision)
}

// Put writes an object, "routes/x", that is valid and goes away with the case.
// Refusing it is a failure of the gateway and ends the case. Wait tells when it
// is in force.
func (t *T) Put(ctx context.Context, path, body string) Reply {
	return t.put(ctx, path, body, nil)
}

// noWord ends a case that the driver claims and whose objects it cannot express. It
// is the claim that is wrong: there is nothing to see of the gateway.
func (t *T) noWord(what string) {
	var claims []string
	for _, f := range t.needs {
		claims = append(claims, string(f))
	}
	t.Brokenf("the driver's dialect has no word for %s: withdraw the claim of %s", what, strings.Join(claims, " or "))
}

// Publish writes an object, waits until it is in force, and records what
// requests must see from then on, for check.ConfigConverges.
func (t *T) Publish(ctx context.Context, path, body string, s history.Serves) Reply {
	return t.put(ctx, path, body, &s)
}

func (t *T) put(ctx context.Context, path, body string, s *history.Serves) Reply {
	rec := t.env.Recorder()
	w := history.Write{Key: path, Call: rec.Now(), Object: compact(body), Serves: s, Outcome: history.Info}
	t.Track(path)
	r, err := t.env.Admin().Do(ctx, Call{Method: http.MethodPut, Path: "/" + path, Body: body})
	w.Return, w.Rev = rec.Now(), r.Revision
	switch {
	case err != nil:
		w.Error = err.Error()
	case r.Status == http.StatusOK || r.Status == http.StatusCreated:
		w.Outcome = history.OK
	case r.Status < 500:
		w.Outcome, w.Error = history.Fail, r.String()
	}
	defer func() { rec.Write(w) }() // also when the case ends below
	if err != nil {
		t.Brokenf("%v", err)
	}
	t.note(r)
	if what := r.Header.Get(NoWordHeader); what != "" {
		t.noWord(what)
	}
	if w.Outcome != history.OK {
		t.Fatalf("PUT %s: got %s, want 200 or 201; the object was %s", path, r, body)
	}
	if s != nil {
		t.Wait(ctx)
		w.InForce = rec.Now()
	}
	return r
}

// Delete deletes an object that exists.
func (t *T) Delete(ctx context.Context, path string) Reply {
	r := t.Call(ctx, Call{Method: http.MethodDelete, Path: "/" + path})
	if r.Status != http.StatusOK {
		t.Fatalf("DELETE %s: got %s, want 200", path, r)
	}
	t.mu.Lock()
	t.live = slices.DeleteFunc(t.live, func(p string) bool { return p == path })
	t.mu.Unlock()
	return r
}

// Track makes an object that the case writes by Call go away with the case, if
// it is still there.
func (t *T) Track(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.live, path) {
		t.live = append(t.live, path)
	}
}

// Wait waits until everything written so far is in force on every gateway. Not
// coming into force is a failure of the gateway and ends the case.
func (t *T) Wait(ctx context.Context) {
	t.mu.Lock()
	rev := t.rev
	t.mu.Unlock()
	err := t.env.Applied(ctx, rev)
	var ours *Trouble
	switch {
	case errors.As(err, &ours):
		t.Brokenf("revision %d cannot be brought into force: %v", rev, err)
	case err != nil:
		t.Fatalf("revision %d does not come into force: %v", rev, err)
	}
}

// Remove deletes what the case wrote, newest first, and waits until that is in
// force, so that the next case finds an empty place.
func (t *T) Remove(ctx context.Context) error {
	t.mu.Lock()
	paths := slices.Clone(t.live)
	t.live = nil
	rev := t.rev
	t.mu.Unlock()
	if len(paths) == 0 {
		return nil
	}
	slices.Reverse(paths)
	var errs []error
	changed := rev != 0
	for _, p := range paths {
		r, err := t.env.Admin().Do(ctx, Call{Method: http.MethodDelete, Path: "/" + p})
		switch {
		case err != nil:
			errs = append(errs, err)
		case r.Status != http.StatusOK && r.Status != http.StatusNotFound:
			errs = append(errs, fmt.Errorf("remove %s: %s", p, r))
		}
		rev, changed = max(rev, r.Revision), changed || r.Status == http.StatusOK
	}
	if !changed {
		return errors.Join(errs...) // nothing was ever written
	}
	if err := t.env.Applied(ctx, rev); err != nil {
		errs = append(errs, fmt.Errorf("removal does not come into force: %w", err))
	}
	return errors.Join(errs...)
}

// compact keeps an object for the history when it is JSON.
func compact(body string) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(body)); err != nil {
		return nil
	}
	return b.Bytes()
}
