package secret_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/secret"
	"github.com/unilb/unilb/impl/secret/vaulttest"
)

func TestValuesThatChangeAreToldToTheirUsersTogether(t *testing.T) {
	t.Parallel()
	v := vaulttest.Start(t)
	v.Put("kv/tls", map[string]any{"cert": "c1", "key": "k1"})
	v.Put("kv/quiet", map[string]any{"key": "same"})
	r := run(t)
	r.manage("vault/1", v.Manager("kv"))
	cert, key, quiet := "$secret://vault/1/tls/cert", "$secret://vault/1/tls/key", "$secret://vault/1/quiet/key"
	r.Use("one", []string{cert, key})
	r.Use("two", []string{cert})
	r.Use("three", []string{quiet})
	for seen := map[string]bool{}; len(seen) < 3; {
		for _, u := range r.next() {
			seen[u] = true
		}
	}
	for i := 2; i < 5; i++ {
		v.Put("kv/tls", map[string]any{"cert": fmt.Sprint("c", i), "key": fmt.Sprint("k", i)})
		if got := r.next(); !slices.Equal(got, []string{"one", "two"}) {
			t.Fatalf("rotation %d: told %v, want the two users", i, got)
		}
		if got := r.says(cert) + r.says(key); got != fmt.Sprintf("c%dk%d", i, i) {
			t.Errorf("rotation %d: got %s", i, got)
		}
	}
	asked := v.Asked()
	r.Use("one", nil)
	r.Use("two", nil)
	r.Use("three", nil)
	if c := r.Counts(); c.Known+c.Stale+c.Unknown != 0 {
		t.Errorf("of what nobody refers to is kept: %+v after %d questions", c, asked)
	}
}

// next is what is told next.
func (r *resolver) next() []string {
	r.t.Helper()
	select {
	case users := <-r.told:
		return users
	case <-time.After(20 * time.Second):
		r.t.Fatal("nobody is told anything")
		return nil
	}
}

// awaits waits until counts are as they should be.
func (r *resolver) awaits(what string, ok func(secret.Counts) bool) {
	r.t.Helper()
	for limit := time.Now().Add(20 * time.Second); !ok(r.Counts()); <-time.After(time.Millisecond) {
		if time.Now().After(limit) {
			r.t.Fatalf("%s: got %+v", what, r.Counts())
		}
	}
}

func TestValueStaysWhileItsManagerFailsAndIsSaidToBeStale(t *testing.T) {
	t.Parallel()
	v := vaulttest.Start(t)
	v.Put("kv/tls", map[string]any{"key": "k1"})
	r := run(t)
	r.manage("vault/1", v.Manager("kv"))
	const ref = "$secret://vault/1/tls/key"
	r.Use("one", []string{ref})
	r.comes(ref, "k1")
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusForbidden, http.StatusTeapot} {
		v.Fail(status)
		r.awaits("stale", func(c secret.Counts) bool { return c.Stale == 1 })
		if got := r.says(ref); got != "k1" {
			t.Errorf("status %d: got %s, want the value that was known", status, got)
		}
		if tr := r.Troubles(10)["vault/1/tls/key"]; !tr.Stale || !strings.Contains(tr.Err, fmt.Sprint("status ", status)) || strings.Contains(tr.Err, vaulttest.Token) {
			t.Errorf("status %d: trouble %+v", status, tr)
		}
		v.Fail(0)
		r.awaits("known", func(c secret.Counts) bool { return c.Known == 1 })
	}
	v.Put("kv/tls", nil)
	r.awaits("stale", func(c secret.Counts) bool { return c.Stale == 1 })
	v.Put("kv/tls", map[string]any{"key": "k2"})
	r.comes(ref, "k2")
}

// lines is a log that a test may read at any time.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(b) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func TestLogSaysWhatStaysAsTheStatusDoes(t *testing.T) {
	t.Parallel()
	v, log := vaulttest.Start(t), &lines{}
	v.Put("kv/tls", map[string]any{"key": "the key"})
	r := run(t, func(o *secret.Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	const ref = "$secret://vault/1/tls/key"
	r.manage("vault/1", v.Manager("kv"))
	r.Use("user", []string{ref})
	r.comes(ref, "the key")
	v.Fail(http.StatusForbidden)
	r.awaits("stale", func(c secret.Counts) bool { return c.Stale == 1 })
	if got := log.String(); !strings.Contains(got, "what was known of it stays") || strings.Contains(got, "are refused") {
		t.Errorf("its manager fails: got %s", got)
	}
	v.Fail(0)
	r.awaits("known", func(c secret.Counts) bool { return c.Known == 1 })
	before := len(log.String())
	r.manage("vault/1", v.Manager("elsewhere"))
	r.comes(ref, "[secret vault/1/tls/key: its manager has nothing there (status 404)]")
	if got := log.String()[before:]; strings.Contains(got, "stays") || !strings.Contains(got, "objects that need it are refused") || r.Troubles(10)["vault/1/tls/key"].Stale {
		t.Errorf("another manager: got %s and %+v", got, r.Troubles(10))
	}
}

func TestValuesOfAnotherManagerDoNotStay(t *testing.T) {
	t.Parallel()
	one, two := vaulttest.Start(t), vaulttest.Start(t)
	one.Put("kv/tls", map[string]any{"key": "of one"})
	two.Put("kv/tls", map[string]any{"key": "of two"})
	r := run(t, func(o *secret.Options) { o.Refresh = time.Hour })
	const ref = "$secret://vault/1/tls/key"
	r.manage("vault/1", one.Manager("kv"))
	r.Use("user", []string{ref})
	r.comes(ref, "of one")
	r.manage("vault/1", two.Manager("kv"))
	r.comes(ref, "of two")
	asked := two.Asked()
	r.manage("vault/1", two.Manager("kv")) // as it was
	if _, err := r.Manage("vault/1", []byte(`{"uri":"ftp://x","prefix":"kv","token":"t"}`)); err == nil {
		t.Error("a manager by FTP was taken")
	}
	if got := r.says(ref); got != "of two" || two.Asked() != asked {
		t.Errorf("after changes that are none: got %s, %d questions more", got, two.Asked()-asked)
	}
	r.manage("vault/1", two.Manager("elsewhere"))
	r.comes(ref, "[secret vault/1/tls/key: its manager has nothing there (status 404)]")
	r.manage("vault/1", two.Manager("kv"))
	r.comes(ref, "of two")
	if users := r.manage("vault/1", nil); !slices.Equal(users, []string{"user"}) {
		t.Errorf("without a manager: the users are %v", users)
	}
	if got := r.says(ref); got != "[secret vault/1/tls/key: there is no manager vault/1]" {
		t.Errorf("without a manager: got %s", got)
	}
	r.manage("vault/1", one.Manager("kv"))
	r.comes(ref, "of one")
}

func TestSilentManagerKeepsNobodyFromTheOthers(t *testing.T) {
	t.Parallel()
	silent, v := vaulttest.Start(t), vaulttest.Start(t)
	release := silent.Hold()
	v.Put("kv/tls", map[string]any{"key": "k"})
	silent.Put("kv/tls/3", map[string]any{"key": "late"})
	r := run(t)
	r.manage("vault/silent", silent.Manager("kv"))
	r.manage("vault/1", v.Manager("kv"))
	for i := range 20 {
		r.Use(fmt.Sprint("silent ", i), []string{fmt.Sprintf("$secret://vault/silent/tls/%d/key", i)})
	}
	r.Use("one", []string{"$secret://vault/1/tls/key"})
	r.comes("$secret://vault/1/tls/key", "k")
	if got := r.says("$secret://vault/silent/tls/3/key"); !strings.Contains(got, "has not answered yet") {
		t.Errorf("of the silent one: got %s", got)
	}
	for limit := time.Now().Add(20 * time.Second); silent.Asked() < 4 && time.Now().Before(limit); <-time.After(time.Millisecond) {
	}
	release()
	r.settled()
	if n := silent.Peak(); n != 4 {
		t.Errorf("%d questions to the silent one at once, want 4", n)
	}
	if got := r.says("$secret://vault/silent/tls/3/key"); got != "late" {
		t.Errorf("got %s", got)
	}
}
