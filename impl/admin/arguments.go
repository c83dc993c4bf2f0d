package admin

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// arguments are those of a request's query as nginx reads them: a semicolon is a byte
// like others, where net/url leaves out what it stands in.
func arguments(r *http.Request) url.Values { return parseArguments(r.URL.RawQuery) }

func parseArguments(query string) url.Values {
	args, _ := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B")) // what is no escape is left out
	return args
}

// number reads an argument as Lua reads numbers, which need not be whole, and may be
// hexadecimal without an exponent.
func number(text string) (n float64, ok bool) {
	text = strings.Trim(text, " \t\n\v\f\r")
	if strings.Contains(text, "_") { // only Go reads it
		return 0, false
	}
	if strings.ContainsAny(text, "xX") && !strings.ContainsAny(text, "pP") {
		text += "p0"
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}
