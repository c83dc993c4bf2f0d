package expr

import (
	"regexp"
	"runtime"
	"testing"
	"time"
)

func TestAPatternIsCompiledOnceAndForgottenWithItsLastUse(t *testing.T) {
	t.Parallel()
	p := &pool{compile: regexp.Compile}
	first, err := p.get("^only here$")
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := p.get("^only here$"); second != first {
		t.Error("the same text was compiled twice")
	}
	runtime.KeepAlive(first)
	for range 1000 {
		if runtime.GC(); !p.has("^only here$") {
			return
		}
		runtime.Gosched()
	}
	t.Error("what nobody uses is still known")
}

func TestNobodyWaitsForAPatternOfSomebodyElse(t *testing.T) {
	t.Parallel()
	p := &pool{}
	p.compile = func(text string) (*regexp.Regexp, error) {
		if !p.mu.TryLock() {
			t.Errorf("%s is compiled while others are kept waiting", text)
		} else {
			p.mu.Unlock()
		}
		return regexp.Compile(text)
	}
	if _, err := p.get("^hard$"); err != nil {
		t.Fatal(err)
	}
}

func TestWhoCompilesAPatternAtTheSameTimeSharesIt(t *testing.T) {
	t.Parallel()
	p := &pool{}
	var faster *regexp.Regexp
	p.compile = func(text string) (*regexp.Regexp, error) {
		faster = p.put(text, regexp.MustCompile(text))
		return regexp.Compile(text)
	}
	if got, err := p.get("^both$"); got != faster || err != nil {
		t.Errorf("got %p, %v, want %p of who was faster", got, err, faster)
	}
	runtime.KeepAlive(faster)
}

func TestASearchOfOneRequestIsNotShared(t *testing.T) {
	t.Parallel()
	const text = "^asked for once$"
	found, err := (&Patience{Left: time.Minute, Now: time.Now}).Search(text)
	if err != nil {
		t.Fatal(err)
	}
	if inUse.has(text) {
		t.Error("conditions of routes wait for the pattern of a request")
	}
	runtime.KeepAlive(found)
}

func (p *pool) has(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.by[text]
	return ok
}
