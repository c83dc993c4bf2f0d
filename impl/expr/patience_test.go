package expr

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPatienceIsForAllSearchesTogether(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ pattern, text string }{
		"goes back":   {"(?=a)(a+)+b", strings.Repeat("a", 60)},
		"a long text": {"(" + strings.Repeat("[ab]?", 20) + "){300}c", strings.Repeat("ab", 1<<14)},
	} {
		p := &Patience{Left: 30 * time.Millisecond, Now: time.Now}
		hard, err := p.Search(tc.pattern)
		if err != nil {
			t.Fatal(name, err)
		}
		easy, err := p.Search("^a")
		if err != nil {
			t.Fatal(err)
		}
		if found, err := easy(tc.text); !found || err != nil {
			t.Errorf("%s, before: got %t, %v", name, found, err)
		}
		began := time.Now()
		if _, err := hard(tc.text); !errors.Is(err, ErrImpatient) {
			t.Errorf("%s: got %v, want %v", name, err, ErrImpatient)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		if _, err := easy(tc.text); !errors.Is(err, ErrImpatient) {
			t.Errorf("%s, after it: got %v, want %v", name, err, ErrImpatient)
		}
	}
}

func TestLongTextsAreSearchedAsShortOnes(t *testing.T) {
	t.Parallel()
	p := &Patience{Left: time.Minute, Now: time.Now}
	long := strings.Repeat("é", 1<<10)
	for pattern, want := range map[string]bool{"^(é{2})+z$": true, "^(é{2})+$": false} {
		found, err := p.Search(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if quick(pattern, long) {
			t.Fatal("the text is a short one")
		}
		if got, err := found(long + "z"); got != want || err != nil {
			t.Errorf("%s: got %t, %v, want %t", pattern, got, err, want)
		}
	}
}

func TestPatienceIsForPatternsToo(t *testing.T) {
	t.Parallel()
	var now time.Time
	p := &Patience{Left: time.Second, Now: func() time.Time { now = now.Add(time.Second); return now }}
	found, err := p.Search("^a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := found("a"); !errors.Is(err, ErrImpatient) {
		t.Errorf("a pattern took all there was to read: got %v, want %v", err, ErrImpatient)
	}
}
