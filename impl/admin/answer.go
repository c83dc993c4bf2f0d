package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/unilb/unilb/impl/apisix"
)

// answer is a successful answer.
type answer struct {
	code int
	body any
	rev  int64 // of a write; 0 otherwise
}

// failure is an answer that says what is wrong.
type failure struct {
	code  int
	body  any
	cause error // for the log; nil when the client is to blame
}

func fail(code int, msg string) *failure {
	return &failure{code: code, body: map[string]string{"error_msg": msg}}
}

func bad(msg string) *failure { return fail(http.StatusBadRequest, msg) }

// unavailable is the answer when etcd refuses or does not answer.
func unavailable(err error) *failure {
	f := fail(http.StatusServiceUnavailable, err.Error())
	f.cause = err
	return f
}

func keyNotFound() *failure {
	return &failure{code: http.StatusNotFound, body: map[string]string{"message": "Key not found"}}
}

func (f *failure) write(w http.ResponseWriter) { writeJSON(w, f.code, f.body) }

func (a *answer) write(w http.ResponseWriter) {
	if a.rev > 0 {
		w.Header().Set("X-Unilb-Revision", strconv.FormatInt(a.rev, 10))
	}
	writeJSON(w, a.code, a.body)
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	if text, ok := body.(string); ok { // bare text is sent as it is
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(text)) // a client that left is no error of ours
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		code = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"error_msg":"answer cannot be encoded"}` + "\n")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // a client that left is no error of ours
}

func commonHeaders(h http.Header) {
	h.Set("Server", apisix.ServerName)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", "*")
	h.Set("Access-Control-Max-Age", "3600")
}

// notFoundPage is what nginx answers outside of the API.
func notFoundPage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n" +
		"<center><h1>404 Not Found</h1></center>\r\n<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"))
}

// written is the body after a write: what was stored.
type written struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// item is an object in the answer to a read.
type item struct {
	Key           string          `json:"key"`
	Value         json.RawMessage `json:"value"`
	CreatedIndex  int64           `json:"createdIndex"`
	ModifiedIndex int64           `json:"modifiedIndex"`

	tree map[string]any
}

// isObject reports whether a stored value is a JSON object; placeholders and
// garbage are not.
func isObject(value []byte) (map[string]any, bool) {
	v, err := apisix.Decode(value)
	if err != nil {
		return nil, false
	}
	tree, ok := v.(map[string]any)
	return tree, ok
}
