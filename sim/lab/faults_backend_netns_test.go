//go:build netns

package lab_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
)

// An answer is what the client got.
type answer struct {
	status int // 0: no head
	after  time.Duration
	err    error
}

// get asks the classic server for the path.
func get(t *testing.T, l *lab.Lab, path string, patience time.Duration) answer {
	t.Helper()
	c, err := dial(t, node(t, l, "client/inet-1"), "10.20.0.1:8080")
	if err != nil {
		return answer{err: err}
	}
	defer c.Close()
	start := time.Now()
	if err := c.SetDeadline(start.Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	a := answer{after: time.Since(start), err: err}
	if err == nil {
		a.status = r.StatusCode
		_, a.err = io.Copy(io.Discard, r.Body)
	}
	return a
}

func TestMisbehavingBackendIsSeenByItsClients(t *testing.T) {
	l := up(t)
	blue := node(t, l, "idc/bj/blue-1").Echo()
	// What the faults must bring back is what somebody set up, not what is usual.
	usual := echo.Behaviour{Status: 201, Size: 4000}
	blue.SetBehaviour(usual)
	const patient, brief = 5 * time.Second, 200 * time.Millisecond
	wantUsual := func(t *testing.T, when string) {
		t.Helper()
		if a := get(t, l, "/x", patient); a.status != 201 || a.err != nil {
			t.Errorf("%s: %+v, want 201", when, a)
		}
	}
	for _, c := range []struct {
		fault    fault.Backend
		patience time.Duration
		path     string
		want     string
		shows    func(answer) bool
	}{
		{fault.Backend{Do: fault.Slow, Delay: 700 * time.Millisecond}, patient, "/x", "201 after 700 ms", func(a answer) bool { return a.status == 201 && a.err == nil && a.after >= 700*time.Millisecond }},
		{fault.Backend{Do: fault.Slow, Delay: 50 * time.Millisecond}, patient, "/x", "201 after 50 ms", func(a answer) bool { return a.status == 201 && a.err == nil && a.after >= 50*time.Millisecond }},
		{fault.Backend{Do: fault.WrongStatus, Status: 500}, patient, "/x", "500", func(a answer) bool { return a.status == 500 && a.err == nil }},
		{fault.Backend{Do: fault.ResetHead}, patient, "/x", "a reset without an answer", func(a answer) bool { return a.status == 0 && errors.Is(a.err, syscall.ECONNRESET) }},
		{fault.Backend{Do: fault.ResetBody}, patient, "/x", "a reset in the body", func(a answer) bool { return a.status == 201 && errors.Is(a.err, syscall.ECONNRESET) }},
		{fault.Backend{Do: fault.Hang}, brief, "/x", "silence", func(a answer) bool { return a.status == 0 && timedOut(a.err) }},
		{fault.Backend{Do: fault.Garbage}, patient, "/x", "no HTTP", func(a answer) bool {
			return a.status == 0 && a.err != nil && strings.Contains(a.err.Error(), "malformed HTTP")
		}},
		{fault.Backend{Do: fault.WrongLength}, patient, "/x", "a body that is too short", func(a answer) bool { return a.status == 201 && errors.Is(a.err, io.ErrUnexpectedEOF) }},
		{fault.Backend{Do: fault.Drip}, brief, "/x", "a head and a body that does not end", func(a answer) bool { return a.status == 201 && timedOut(a.err) }},
		{fault.Backend{Do: fault.Sick}, patient, "/health", "503", func(a answer) bool { return a.status == 503 }},
		{fault.Backend{Do: fault.Sick}, patient, "/x", "201", func(a answer) bool { return a.status == 201 && a.err == nil }},
	} {
		t.Run(strings.TrimSpace(fmt.Sprintf("%s %s", c.fault.Do, c.path)), func(t *testing.T) {
			wantUsual(t, "before")
			c.fault.On = "idc/**"
			recorded := len(l.Recorder().Snapshot().Arrivals)
			f := inject(t, l, c.fault)
			if got := len(l.Recorder().Snapshot().Arrivals); got != recorded {
				t.Errorf("the proof left %d arrivals in the evidence", got-recorded)
			}
			if a := get(t, l, c.path, c.patience); !c.shows(a) {
				t.Errorf("during: %+v, want %s", a, c.want)
			}
			heal(t, f)
			wantUsual(t, "after")
			if got := fmt.Sprintf("%+v", blue.Behaviour()); got != fmt.Sprintf("%+v", usual) {
				t.Errorf("behaves %s after healing, want %+v", got, usual)
			}
		})
	}
	wantNothingPending(t, l)
}
