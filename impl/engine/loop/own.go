package loop

import (
	"strconv"
	"time"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// date is the text of the Date field, made once a second.
type date struct {
	second int64
	text   string
}

// dateText is the time of this batch as RFC 9110, 5.6.7 wants it.
func (l *loop) dateText() string {
	if second := l.now / int64(time.Second); second != l.date.second || l.date.text == "" {
		l.date = date{second, time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}
	}
	return l.date.text
}

// appendOwn appends an answer that no handler made, after which the connection ends.
func (l *loop) appendOwn(b []byte, status int) []byte {
	text := strconv.Itoa(status) + " " + h1.Phrase(status) // refusing is rare
	var fields [2]exchange.Field
	n := 0
	if l.e.o.Server != "" {
		fields[n] = exchange.Field{Name: "Server", Value: l.e.o.Server}
		n++
	}
	fields[n] = exchange.Field{Name: "Content-Type", Value: "text/plain; charset=utf-8"}
	body := text + "\n"
	b = h1.AppendAnswer(b, exchange.HTTP11, status, fields[:n+1], nil, h1.OutFraming{Length: int64(len(body)), Close: true, Date: l.dateText()})
	return append(b, body...)
}
