package gateway

import (
	"strconv"
	"time"

	"github.com/unilb/unilb/impl/engine/loop"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs/linelog"
	"github.com/unilb/unilb/impl/proxy"
)

// accessLog writes one JSON line for each request: see appendLine for its fields.
type accessLog struct {
	lines *linelog.Log
	lanes []stamp
}

// stamp is the text of a lane's current second. It is made once a second, under the
// lock of the lane.
type stamp struct {
	second int64
	text   string
	_      [64]byte // no two lanes share a line of the cache
}

func newAccessLog(lines *linelog.Log, lanes int) *accessLog {
	return &accessLog{lines: lines, lanes: make([]stamp, lanes)}
}

// add hands the line of an exchange to the writer. It waits for no disk. Lines of
// requests that outlive close (they were cut) are dropped.
func (a *accessLog) add(x *exchange.Exchange, e proxy.Entry) {
	const rest = 512 // all that is not counted here, amply
	r := &x.Request
	size := rest + len(r.Target) + len(r.Authority) + len(r.Method) + len(e.Route) + len(e.Upstream) + len(e.Target) + len(e.Failure)
	a.lines.Append(x.Lane, size, func(b []byte) []byte {
		return appendLine(b, r, &e, &a.lanes[x.Lane%len(a.lanes)])
	})
}

// refused hands on the line of a request, or a connection, that the engine refused: nobody knows more of
// it than who sent it.
func (a *accessLog) refused(r loop.Refusal) {
	const size = 256 // amply
	now := time.Now()
	a.lines.Append(r.Lane, size, func(b []byte) []byte {
		b = append(b, `{"time":"`...)
		b = a.lanes[r.Lane%len(a.lanes)].appendTime(b, now)
		b = append(b, `","remote":"`...)
		b = r.Remote.AppendTo(b)
		b = append(b, `","local":"`...)
		b = r.Local.AppendTo(b)
		b = append(b, `","proto":"`...)
		b = append(b, r.Proto.String()...)
		b = append(b, `","status":`...)
		b = strconv.AppendInt(b, int64(r.Status), 10)
		b = appendSaid(b, `,"refused":`, r.Reason)
		return append(b, '}', '\n')
	})
}

// appendLine appends the line of a request. Durations are in milliseconds, sizes in
// bytes; route, upstream, target, tries, failure, cut and its reason are left out where there is
// nothing to say. It is what encoding/json writes, for a tenth of the cost.
func appendLine(b []byte, r *exchange.Request, e *proxy.Entry, s *stamp) []byte {
	b = append(b, `{"time":"`...)
	b = s.appendTime(b, e.Ended)
	b = append(b, `","remote":"`...)
	b = r.Remote.AppendTo(b)
	b = append(b, `","local":"`...)
	b = r.Local.AppendTo(b)
	b = append(b, `","method":`...)
	b = appendString(b, r.Method)
	b = append(b, `,"host":`...)
	b = appendString(b, r.Authority)
	b = append(b, `,"uri":`...)
	b = appendString(b, r.Target)
	b = append(b, `,"proto":"`...)
	b = append(b, r.Proto.String()...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, `,"received":`...)
	b = strconv.AppendInt(b, e.Received, 10)
	b = append(b, `,"sent":`...)
	b = strconv.AppendInt(b, e.Sent, 10)
	b = append(b, `,"duration_ms":`...)
	b = appendMillis(b, e.Duration)
	b = appendSaid(b, `,"route":`, e.Route)
	b = appendSaid(b, `,"upstream":`, e.Upstream)
	b = appendSaid(b, `,"target":`, e.Target)
	for i, status := range e.Tries {
		if i == 0 {
			b = append(b, `,"tries":[`...)
		} else {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(status), 10)
	}
	if len(e.Tries) > 0 {
		b = append(b, ']')
	}
	b = appendSaid(b, `,"failure":`, e.Failure)
	if e.Cut {
		b = append(b, `,"cut":true,"cut_reason":"`...)
		b = append(b, e.CutReason.String()...)
		b = append(b, '"')
	}
	return append(b, '}', '\n')
}

// appendSaid appends a field that is left out when it is empty.
func appendSaid(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, name...), value)
}

// appendTime appends a time as RFC 3339 has it, in UTC, with its fraction as far as
// there is one.
func (s *stamp) appendTime(b []byte, t time.Time) []byte {
	if at := t.Unix(); at != s.second || s.text == "" {
		s.second, s.text = at, t.UTC().Format("2006-01-02T15:04:05")
	}
	b = append(b, s.text...)
	return append(appendFraction(b, uint32(t.Nanosecond()), 9), 'Z')
}

// appendMillis appends a duration in milliseconds, to the microsecond.
func appendMillis(b []byte, d time.Duration) []byte {
	us := d.Microseconds()
	b = strconv.AppendInt(b, us/1000, 10)
	return appendFraction(b, uint32(us%1000), 3)
}

// appendFraction appends a point and n as so many digits, at most 9, without zeros at
// the end; nothing for 0.
func appendFraction(b []byte, n uint32, digits int) []byte {
	if n == 0 {
		return b
	}
	var text [10]byte
	text[0] = '.'
	for i := digits; i > 0; i-- {
		text[i] = '0' + byte(n%10)
		n /= 10
	}
	for text[digits] == '0' {
		digits--
	}
	return append(b, text[:digits+1]...)
}

func (a *accessLog) close() { a.lines.Close() }
