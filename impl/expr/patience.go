package expr

import (
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrImpatient is that of a search that was given up.
var ErrImpatient = errors.New("takes too long to search for")

// Patience bounds how long searches take all together, with what it takes to compile their
// patterns, for who must not take one that was given up for one that found nothing. It is
// for one goroutine.
type Patience struct {
	Left time.Duration
	Now  func() time.Time // the clock
}

// Search is Search at the cost of p, and shares the pattern with nobody. What it returns
// fails with ErrImpatient once nothing of p is left.
func (p *Patience) Search(pattern string) (func(text string) (bool, error), error) {
	defer p.spend(p.Now())
	re, slow, err := read(pattern, compilePCRE)
	if err != nil {
		return nil, err
	}
	return func(text string) (found bool, err error) {
		if p.Left <= 0 {
			return false, ErrImpatient
		}
		began := p.Now()
		defer p.spend(began)
		switch {
		case slow != nil:
			slow.MatchTimeout = p.Left
			if found, err = slow.MatchString(text); err != nil {
				return false, ErrImpatient
			}
			return found, nil
		case quick(pattern, text):
			return re.MatchString(text), nil
		}
		runes := &limited{text: text, until: began.Add(p.Left), now: p.Now}
		if found = re.MatchReader(runes); runes.late {
			return false, ErrImpatient
		}
		return found, nil
	}, nil
}

func (p *Patience) spend(began time.Time) { p.Left -= p.Now().Sub(began) }

// quick tells whether a search takes some milliseconds at most: Go's takes as many steps
// for a byte of the text as the pattern has parts, and {1000} makes a thousand of one.
func quick(pattern, text string) bool {
	const most, repeats = 1 << 20, 1000
	parts := len(pattern)
	if strings.Contains(pattern, "{") {
		parts *= repeats
	}
	return parts*len(text) <= most
}

// limited are the runes of a text up to some time.
type limited struct {
	text  string
	until time.Time
	now   func() time.Time
	late  bool
}

func (l *limited) ReadRune() (r rune, size int, err error) {
	if l.late = l.late || l.now().After(l.until); l.late || l.text == "" {
		return 0, 0, io.EOF
	}
	r, size = utf8.DecodeRuneInString(l.text)
	l.text = l.text[size:]
	return r, size, nil
}
