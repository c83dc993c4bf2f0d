package exchange

import (
	"strconv"
	"time"
)

// clock is the one time that all conditions of a request see, as each of its variables.
type clock struct {
	of    *Exchange // whose time and arena it uses; nil: none
	texts [clocks]string
}

// The variables of the time.
const (
	iso8601 = iota
	local
	msec

	clocks
)

// maxTime is as much as one of them has in bytes.
const maxTime = len("02/Jan/2006:15:04:05 -0700")

// timeVar is a variable of the time. The first that is asked for sets it.
func (r *Request) timeVar(which int) string {
	text := &r.clock.texts[which]
	if *text != "" {
		return *text
	}
	x := r.clock.of
	if r.At.IsZero() && x != nil {
		r.At = x.Now
	}
	if r.At.IsZero() {
		r.At = time.Now()
	}
	if x == nil {
		*text = string(appendTime(nil, which, r.At))
	} else {
		*text = x.Arena.Append(maxTime, func(b []byte) []byte { return appendTime(b, which, r.At) })
	}
	return *text
}

// appendTime appends a time as nginx writes it.
func appendTime(b []byte, which int, t time.Time) []byte {
	switch which {
	case iso8601:
		return t.AppendFormat(b, "2006-01-02T15:04:05-07:00")
	case local:
		return t.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	}
	b = strconv.AppendInt(b, t.Unix(), 10)
	return t.AppendFormat(b, ".000")
}
