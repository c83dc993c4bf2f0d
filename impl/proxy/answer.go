package proxy

import (
	"encoding/json"

	"github.com/unilb/unilb/impl/exchange"
)

// notFoundBody is what APISIX answers when no route matches, final newline
// included.
var notFoundBody = []byte(`{"error_msg":"404 Route Not Found"}` + "\n")

func notFound(x *exchange.Exchange) exchange.Verdict {
	v := x.RespondBytes(404, "text/plain; charset=utf-8", notFoundBody)
	x.ResponseEdits = x.ResponseEdits[:0]
	x.ResponseEdits.Set("Server", ServerName)
	return v
}

// closed answers for a route that is not served.
func closed(x *exchange.Exchange, why string) exchange.Verdict {
	body, err := json.Marshal(struct {
		Msg string `json:"error_msg"`
	}{why})
	if err != nil {
		return errorPage(x, 503) // cannot be: it is text
	}
	v := x.RespondBytes(503, "application/json", append(body, '\n'))
	x.ResponseEdits = x.ResponseEdits[:0]
	x.ResponseEdits.Set("Server", ServerName)
	return v
}

// pages are the bodies of the answers we make ourselves: small HTML pages, as
// nginx has them.
var pages = func() map[int][]byte {
	m := map[int][]byte{}
	for status, reason := range map[int]string{
		400: "Bad Request", 404: "Not Found", 413: "Request Entity Too Large", 500: "Internal Server Error",
		502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
	} {
		title := string(append([]byte{'0' + byte(status/100), '0' + byte(status/10%10), '0' + byte(status%10), ' '}, reason...))
		m[status] = []byte("<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
			"</h1></center>\r\n<hr><center>APISIX</center>\r\n</body>\r\n</html>\r\n")
	}
	return m
}()

// errorPage answers with the page of a status; the status must be one of pages.
func errorPage(x *exchange.Exchange, status int) exchange.Verdict {
	v := x.RespondBytes(status, "text/html", pages[status])
	x.ResponseEdits = x.ResponseEdits[:0]
	x.ResponseEdits.Set("Server", ServerName)
	return v
}
