package staple

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// about tells whether a time is another, but for the cut-off of seconds in answers.
func about(got, want time.Duration) bool { return got > want-2*time.Second && got < want+2*time.Second }

func TestAnswersAreRefreshedAtHalfOfTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		c := compiled(t, "a", "a.example", d.issue("a.example"))
		d.Set("a", c)
		if got := d.after(0, c); !about(got, time.Hour) {
			t.Fatalf("at first stapled for %v, want an hour", got)
		}
		if got := d.after(29*time.Minute, c); !about(got, 31*time.Minute) {
			t.Errorf("before half of its time: for %v, want 31 minutes", got)
		}
		if got := d.after(2*time.Minute, c); !about(got, 59*time.Minute) {
			t.Errorf("after half of its time: for %v, want 59 minutes", got)
		}
		if n := d.Counts(); n.Good != 2 || n.Failed != 0 || n.Wanted != 1 || n.Stapled != 1 || !about(time.Since(n.Oldest), time.Minute) {
			t.Errorf("counts %+v", n)
		}
	})
}

func TestFailuresAreTriedAgainAndTheAnswerHoldsUntilItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.valid = 3 * time.Hour
		c := compiled(t, "shop", "a.example", d.issue("a.example"))
		d.Set("shop", c)
		d.after(0, c)
		d.says(ocsp.Good, errors.New("nobody is there"))
		if got := d.after(179*time.Minute, c); !about(got, time.Minute) {
			t.Errorf("shortly before the end: stapled for %v, want a minute", got)
		}
		if got := d.after(2*time.Minute, c); got != 0 {
			t.Errorf("after the end: stapled for %v", got)
		}
		if n := d.Counts(); n.Stapled != 0 || n.Wanted != 1 || !n.Oldest.IsZero() {
			t.Errorf("counts %+v", n)
		}
		d.after(3*time.Hour, c)
		if got := fmt.Sprint(d.waits()); got != "[1m0s 2m0s 4m0s 8m0s 16m0s 32m0s 1h0m0s 1h0m0s 1h0m0s]" {
			t.Errorf("waits %s", got)
		}
		if n := strings.Count(d.log.String(), "no answer to staple"); n < 3 || n > 5 {
			t.Errorf("%d lines for ten failures in 4.5 hours, want one an hour:\n%s", n, &d.log)
		}
		if text := d.log.String(); !strings.Contains(text, "object=shop responder=http://r.example ") || !strings.Contains(text, `err="nobody is there"`) {
			t.Errorf("the log says not what is wrong: %s", text)
		}
		d.says(ocsp.Good, nil)
		if got := d.after(time.Hour, c); got == 0 || !strings.Contains(d.log.String(), "stapled again") {
			t.Errorf("the responder is back: stapled for %v", got)
		}
	})
}

func TestRevocationEndsTheStapleAndDoubtDoesNot(t *testing.T) {
	for status, want := range map[int]time.Duration{ocsp.Unknown: 28 * time.Minute, ocsp.Revoked: 0} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			c := compiled(t, "a", "a.example", d.issue("a.example"))
			d.Set("a", c)
			d.after(0, c)
			d.says(status, nil)
			if got := d.after(32*time.Minute, c); !about(got, want) && got != want {
				t.Errorf("status %d: stapled for %v, want %v", status, got, want)
			}
		})
	}
}

func TestAnOlderAnswerDoesNotReplaceANewerOne(t *testing.T) {
	now := time.Now()
	u := &subject{}
	newer := answer{[]byte("newer"), now, now.Add(time.Hour)}
	u.take(newer, now, 0.5)
	older := answer{[]byte("older"), now.Add(-time.Minute), now.Add(2 * time.Hour)}
	if u.take(older, now, 0.5); string(u.answer.raw) != "newer" || !u.due.Equal(now.Add(30*time.Minute)) {
		t.Errorf("have the %s one, due in %v", u.answer.raw, u.due.Sub(now))
	}
	if u.take(older, now.Add(time.Hour), 0.5); string(u.answer.raw) != "older" {
		t.Error("the newer one has expired, and stays")
	}
}

func TestAnswersBelongToCertificatesNotToObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		one, two := d.issue("a.example"), d.issue("a.example")
		first := compiled(t, "a", "a.example", one)
		d.Set("a", first)
		d.after(0, first)
		d.says(ocsp.Good, errors.New("nobody is there"))
		same, other := compiled(t, "a", "a.example", one), compiled(t, "b", "a.example", one)
		if d.Set("a", same); stapledTo(t, same) == nil {
			t.Error("the same certificate, written anew, has no staple")
		}
		d.Set("b", other)
		if d.Set("a", nil); stapledTo(t, other) == nil {
			t.Error("the same certificate in another object has no staple")
		}
		next := compiled(t, "b", "a.example", two)
		if d.Set("b", next); stapledTo(t, next) != nil {
			t.Error("another certificate has the staple of the one before")
		}
		d.Set("b", next) // once more
		synctest.Wait()
		if len(d.subjects) != 1 || len(d.objects) != 1 || len(d.lines) != 0 || len(d.queue) != 1 {
			t.Errorf("%d certificates, %d objects, %d lines, %d in the queue, want only what is served", len(d.subjects), len(d.objects), len(d.lines), len(d.queue))
		}
		d.Set("b", nil)
		back := compiled(t, "a", "a.example", one)
		if d.Set("a", back); stapledTo(t, back) != nil {
			t.Error("what was forgotten is stapled")
		}
		d.Set("a", nil)
		d.Set("nobody", nil)
		synctest.Wait()
		if n := len(d.subjects) + len(d.objects) + len(d.queue) + len(d.lines) + d.busy; n != 0 {
			t.Errorf("%d things are left", n)
		}
	})
}

func TestCertificatesThatCannotBeStapledAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.Set("shop", compiled(t, "shop", "a.example", d.ca.IssueWith("a.example", certstest.Elliptic(t), certstest.MustStaple)))
		if text := d.log.String(); !strings.Contains(text, `msg="certificate is not stapled" object=shop err="`+errNoResponder.Error()) {
			t.Errorf("log: %s", text)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	ca := certstest.NewAuthority(t).Below()
	d := &desk{t: t, ca: ca}
	s := New(Options{All: true})
	for i := range mostSubjects {
		s.subjects[[32]byte{byte(i), byte(i >> 8), 1}] = &subject{}
	}
	s.Set("a", compiled(t, "a", "a.example", d.issue("a.example")))
	if len(s.subjects) != mostSubjects || len(s.queue) != 0 {
		t.Errorf("%d certificates, want %d", len(s.subjects), mostSubjects)
	}
}
