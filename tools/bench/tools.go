package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/tools/bench/load"
)

// What the foreign loads print, as Debian packages them: wrk 4.1 and h2load of
// nghttp2 1.52.
var (
	wrkTotal  = regexp.MustCompile(`(\d+) requests in ([\d.]+[a-z]+),`)
	wrkP      = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([\d.]+[a-z]+)`)
	wrkSocket = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	wrkStatus = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	h2Took    = regexp.MustCompile(`finished in ([\d.]+)(us|ms|s),`)
	h2Total   = regexp.MustCompile(`requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
)

// parseWrk reads the output of wrk --latency.
func parseWrk(text string) (load.Outcome, error) {
	var o load.Outcome
	m := wrkTotal.FindStringSubmatch(text)
	if m == nil {
		return o, fmt.Errorf("cannot read what wrk printed: %q", text)
	}
	var err error
	if o.Requests, err = strconv.Atoi(m[1]); err != nil {
		return o, err
	}
	took, err := parseSpan(m[2])
	if err != nil {
		return o, err
	}
	o.Took = took.Seconds()
	for _, p := range wrkP.FindAllStringSubmatch(text, -1) {
		d, err := parseSpan(p[2])
		if err != nil {
			return o, err
		}
		switch p[1] {
		case "50":
			o.P50 = float64(d) / 1e6
		case "99":
			o.P99 = float64(d) / 1e6
		}
	}
	for _, r := range []*regexp.Regexp{wrkSocket, wrkStatus} {
		if m := r.FindStringSubmatch(text); m != nil {
			for _, n := range m[1:] {
				k, err := strconv.Atoi(n)
				if err != nil {
					return o, err
				}
				o.Errors += k
			}
			o.Why = m[0]
		}
	}
	return o, nil
}

// parseSpan reads a time as wrk prints it; its m is a minute, as Go's is.
func parseSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("read a time of wrk: %w", err)
	}
	return d, nil
}

// parseH2load reads the output of h2load -D.
func parseH2load(text string) (load.Outcome, error) {
	var o load.Outcome
	took, total := h2Took.FindStringSubmatch(text), h2Total.FindStringSubmatch(text)
	if took == nil || total == nil {
		return o, fmt.Errorf("cannot read what h2load printed: %q", text)
	}
	d, err := time.ParseDuration(took[1] + took[2])
	if err != nil {
		return o, err
	}
	var n [5]int // done, succeeded, failed, errored, timeout
	for i := range n {
		if n[i], err = strconv.Atoi(total[1+i]); err != nil {
			return o, err
		}
	}
	// Failed includes what errored; an answer that is no success is done, and not
	// succeeded.
	o.Requests, o.Took, o.Errors = n[1], d.Seconds(), n[2]+n[4]+max(0, n[0]-n[1]-n[2])
	if o.Errors > 0 {
		o.Why = total[0]
	}
	if !strings.Contains(text, "Application protocol: h2") {
		return o, fmt.Errorf("h2load did not speak HTTP/2: %q", text)
	}
	return o, nil
}
