package spec

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"

	"github.com/unilb/unilb/sim/check"
)

// MaxStoryLines is how many steps and log lines a case keeps.
const MaxStoryLines = 500

// T is what a running case speaks to. It is not testing.T: cases run from a
// command. Its methods may be called from several goroutines, except those that
// end the case (Fatalf, Brokenf), which must be called from the goroutine that
// runs it. After the suite has given up on a case its T takes nothing more.
type T struct {
	env    Env
	vars   Vars
	needs  []Feature // of the case
	back   []Backend
	played []Stage

	mu       sync.Mutex
	closed   bool
	story    []string
	says     []string
	failed   bool
	broken   bool
	unknown  bool
	live     []string // objects written and not deleted, oldest first
	rev      int64    // newest revision of a write
	evidence []Attachment
	cleanups []func(context.Context) error
}

// An Attachment is a file that belongs to a result.
type Attachment struct {
	Name string
	Data []byte
}

// NewT makes the T of one run of a case. The vars' Backends follow from Start.
func NewT(env Env, vars Vars) *T { return &T{env: env, vars: vars} }

// Env is where the case runs.
func (t *T) Env() Env { return t.env }

// Host is a host name that belongs to this run of the case alone; so do all
// names below it.
func (t *T) Host() string { return t.vars.Host }

// ID is the prefix of the object ids of this run of the case.
func (t *T) ID() string { return t.vars.ID }

// Name makes an object id that belongs to this run of the case alone.
func (t *T) Name(suffix string) string { return t.vars.ID + "-" + suffix }

// Backend is the i-th of the backends that the case declared, from 0.
func (t *T) Backend(i int) Backend { return t.back[i] }

// A Stage is a listener and the backend that a case plays on it.
type Stage struct {
	net.Listener
	Backend
}

// Played is the i-th of the listeners that the case declared, from 0.
func (t *T) Played(i int) Stage { return t.played[i] }

// Step begins the next part of the story.
func (t *T) Step(format string, args ...any) { t.tell("step: " + fmt.Sprintf(format, args...)) }

// Logf adds a line to the story.
func (t *T) Logf(format string, args ...any) { t.tell(fmt.Sprintf(format, args...)) }

func (t *T) tell(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed && len(t.story) < MaxStoryLines {
		t.story = append(t.story, line)
	}
}

// Attach keeps data as evidence of the case.
func (t *T) Attach(name string, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.evidence = append(t.evidence, Attachment{name, slices.Clone(data)})
	}
}

// Check records a failure unless ok, and goes on. It returns ok.
func (t *T) Check(ok bool, format string, args ...any) bool {
	if !ok {
		t.say(spoken{failed: true}, format, args...)
	}
	return ok
}

// Fatalf records a failure of the gateway and ends the case.
func (t *T) Fatalf(format string, args ...any) {
	t.say(spoken{failed: true}, format, args...)
	runtime.Goexit()
}

// Brokenf says that the case could not be carried out for a reason that is not
// the gateway's, and ends it.
func (t *T) Brokenf(format string, args ...any) {
	t.say(spoken{broken: true}, format, args...)
	runtime.Goexit()
}

// Panicked says that the case itself is broken.
func (t *T) Panicked(p any, stack []byte) {
	t.say(spoken{broken: true}, "the case panicked: %v", p)
	t.Attach("panic.txt", stack)
}

// Undecided says that the evidence was too thin to judge, and goes on.
func (t *T) Undecided(format string, args ...any) {
	t.say(spoken{unknown: true}, format, args...)
}

// spoken is what a message means for the result.
type spoken struct{ failed, broken, unknown bool }

func (t *T) say(s spoken, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.failed, t.broken, t.unknown = t.failed || s.failed, t.broken || s.broken, t.unknown || s.unknown
	if len(t.says) < MaxStoryLines {
		t.says = append(t.says, fmt.Sprintf(format, args...))
	}
}

// Verdicts takes the verdicts of checks: invalid fails the case, unknown leaves
// it undecided.
func (t *T) Verdicts(vs ...check.Verdict) {
	for _, v := range vs {
		t.Logf("%s", v)
		switch v.State {
		case check.Valid:
		case check.Invalid:
			t.Check(false, "%s", v)
			for _, e := range v.Evidence[:min(len(v.Evidence), 20)] {
				t.Logf("  op %s at +%s: %s", e.Op, e.At, e.Text)
			}
		default:
			t.Undecided("%s", v)
		}
	}
}

// Cleanup registers what must be undone after the case, last first, whatever
// became of it. It gets a context of its own.
func (t *T) Cleanup(f func(context.Context) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// A Record is what a T has taken.
type Record struct {
	Story, Says             []string
	Failed, Broken, Unknown bool
	Attachments             []Attachment
}

// Close ends the T and hands over what it took. Later calls of its methods
// change nothing.
func (t *T) Close() Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return Record{Story: t.story, Says: t.says, Failed: t.failed, Broken: t.broken, Unknown: t.unknown, Attachments: t.evidence}
}

// Cleanups takes the registered cleanups, in the order in which to call them.
func (t *T) Cleanups() []func(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	fs := t.cleanups
	t.cleanups = nil
	slices.Reverse(fs)
	return fs
}
