package vars

import (
	"strconv"
	"time"
)

// The variables of the time.
const (
	iso8601 = iota
	local
	msec

	clocks
)

// maxTime is as much as one of them has in bytes.
const maxTime = len("02/Jan/2006:15:04:05 -0700")

// time is a variable of the time, of which all conditions of a request see one: that of the
// exchange when the first was asked for.
func (v *Request) time(which int) string {
	text := &v.texts[which]
	if *text == "" {
		if v.at.IsZero() {
			v.at = v.x.Now
		}
		*text = v.x.Arena.Append(maxTime, func(b []byte) []byte { return appendTime(b, which, v.at) })
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
