package staple

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unilb/unilb/impl/certs/certstest"
)

func TestSlowRespondersHoldUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, most, busy := map[string]int{}, map[string]int{}, map[string]int{}
		total := 0
		answers := make(chan struct{})
		var s *Stapler
		s = New(Options{All: true, Fetch: func(ctx context.Context, u *url.URL, _ []byte) ([]byte, error) {
			s.mu.Lock()
			asked[u.Host]++
			for _, k := range []string{u.Host, "all"} {
				busy[k]++
				most[k] = max(most[k], busy[k])
			}
			total++
			s.mu.Unlock()
			defer func() {
				s.mu.Lock()
				busy[u.Host]--
				busy["all"]--
				s.mu.Unlock()
			}()
			if u.Host == "quick" {
				return nil, errors.New("no")
			}
			select {
			case <-answers:
			case <-ctx.Done():
			}
			return nil, errors.New("late")
		}})
		ca := certstest.NewAuthority(t).Below()
		key := certstest.Elliptic(t)
		set := func(id, host string) {
			s.Set(id, compiled(t, id, "a.example", ca.IssueWith("a.example", key, certstest.Responder("http://"+host))))
		}
		for i := range 20 {
			set(fmt.Sprint("slow", i), "slow")
		}
		set("quick", "quick")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		begin := time.Now()
		go func() { s.Run(ctx); close(done) }()
		synctest.Wait()
		if asked["quick"] != 1 || asked["slow"] != atOneHost {
			t.Errorf("asked %v, want the quick one and %d slow ones", asked, atOneHost)
		}
		for i := range 5 {
			for j := range 4 {
				set(fmt.Sprint("other", i, j), fmt.Sprint("slow", i))
			}
		}
		synctest.Wait()
		if most["all"] != atOnce {
			t.Errorf("%d at once, want %d", most["all"], atOnce)
		}
		// Some of those who wait in line go away.
		for i := range 10 {
			s.Set(fmt.Sprint("slow", i), nil)
		}
		for host, l := range s.lines {
			for _, u := range l.waiting {
				if s.subjects[u.key] != u {
					t.Errorf("a certificate that nobody serves waits for %s", host)
				}
			}
		}
		close(answers)
		synctest.Wait()
		if most["slow"] != atOneHost || total < 10+20+1 || len(s.lines) != 0 || s.busy != 0 {
			t.Errorf("most %v, %d asked in all, %d lines, %d busy", most, total, len(s.lines), s.busy)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("took %v", took)
		}
		cancel()
		<-done
	})
}

func TestQuestionEndsAtItsLimitAndWithRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took []time.Duration
		s := New(Options{All: true, Fetch: func(ctx context.Context, _ *url.URL, _ []byte) ([]byte, error) {
			begin := time.Now()
			<-ctx.Done()
			took = append(took, time.Since(begin))
			return nil, ctx.Err()
		}})
		ca := certstest.NewAuthority(t).Below()
		s.Set("a", compiled(t, "a", "a.example", ca.IssueWith("a.example", certstest.Elliptic(t), certstest.Responder("http://r"))))
		ctx, cancel := context.WithTimeout(t.Context(), fetchTime+retryFirst*2)
		defer cancel()
		s.Run(ctx)
		if len(took) < 2 || took[0] != fetchTime {
			t.Errorf("questions took %v, want %v", took, fetchTime)
		}
		if n := s.Counts(); n.Failed == 0 || n.Good != 0 {
			t.Errorf("counts %+v", n)
		}
	})
}

func TestRespondersOfACertificateAreTriedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		s := New(Options{All: true, Fetch: func(_ context.Context, u *url.URL, _ []byte) ([]byte, error) {
			asked = append(asked, u.Host)
			return nil, errors.New("no")
		}})
		ca := certstest.NewAuthority(t).Below()
		s.Set("a", compiled(t, "a", "a.example", ca.IssueWith("a.example", certstest.Elliptic(t), certstest.Responder("http://one"), certstest.Responder("http://two"))))
		ctx, cancel := context.WithTimeout(t.Context(), 5*retryFirst)
		defer cancel()
		s.Run(ctx)
		if got := strings.Join(asked, " "); got != "one two one" {
			t.Errorf("asked %s", got)
		}
	})
}
