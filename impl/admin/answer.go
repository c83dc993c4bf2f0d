package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/jsontree"
)

// answer is a successful answer.
type answer struct {
	code int
	body any
	rev  int64           // of a write; 0 otherwise
	key  string          // that was written
	keys map[string]bool // that were, when it is not one
	// outcome is set when the client waited until gateways serve the write.
	outcome *outcome
	// stream writes the body of an answer that has no body of its own. When it
	// fails the connection is cut, so that nobody takes a part for the whole.
	stream func(io.Writer) error
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

// message is the text of a failure that has one.
func (f *failure) message() string {
	m, _ := f.body.(map[string]string)
	return m["error_msg"]
}

// wrote tells whether a key was written.
func (a *answer) wrote(key string) bool { return key == a.key || a.keys[key] }

func (f *failure) write(w http.ResponseWriter) { writeJSON(w, f.code, f.body) }

// takenWithin is how long a client may take for a step of a list.
const takenWithin = time.Minute

// taken writes a list to a client, who must go on taking it.
type taken struct {
	http.ResponseWriter
	limit *http.ResponseController
}

func (t taken) Write(b []byte) (int, error) {
	_ = t.limit.SetWriteDeadline(time.Now().Add(takenWithin)) // who has none has no limit
	return t.ResponseWriter.Write(b)
}

func (a *answer) write(w http.ResponseWriter) {
	if a.rev > 0 {
		w.Header().Set("X-Unilb-Revision", strconv.FormatInt(a.rev, 10))
	}
	if a.outcome != nil {
		if to := a.outcome.Applied; to != nil {
			w.Header().Set("X-Unilb-Applied", fmt.Sprintf("%d/%d", to.InForce, to.Nodes))
		}
		if body, ok := a.body.(interface{ with(*outcome) any }); ok {
			a.body = body.with(a.outcome)
		}
	}
	if a.stream == nil {
		writeJSON(w, a.code, a.body)
		return
	}
	w.WriteHeader(a.code)
	limit := http.NewResponseController(w)
	if err := a.stream(taken{w, limit}); err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = limit.SetWriteDeadline(time.Time{}) // the connection may have others to write
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	if text, ok := body.(string); ok { // bare text is sent as it is
		w.WriteHeader(code)
		_, _ = w.Write([]byte(text)) // a client that left is no error of ours
		return
	}
	b, err := encoded(body)
	if err != nil {
		code, b = http.StatusInternalServerError, []byte(`{"error_msg":"answer cannot be encoded"}`+"\n")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(code)
	_, _ = w.Write(b) // a client that left is no error of ours
}

// encoded is a body as JSON.
func encoded(body any) ([]byte, error) {
	if body, ok := body.(interface{ text() []byte }); ok {
		return body.text(), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(body)
	return b.Bytes(), err
}

func (h *Handler) commonHeaders(to http.Header) {
	to.Set("Server", apisix.ServerName)
	if h.noVersion {
		name, _, _ := strings.Cut(apisix.ServerName, "/")
		to.Set("Server", name)
	}
	if h.noCORS {
		return
	}
	to.Set("Access-Control-Allow-Origin", "*")
	to.Set("Access-Control-Allow-Credentials", "true")
	to.Set("Access-Control-Expose-Headers", "*")
	to.Set("Access-Control-Max-Age", "3600")
}

// page is what nginx answers outside of the API.
func page(w http.ResponseWriter, code int) {
	title := fmt.Sprintf("%d %s", code, http.StatusText(code))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte("<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n" +
		"<center><h1>" + title + "</h1></center>\r\n<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"))
}

// written is the body after a write: what was stored.
type written struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// text is what encoding/json would make of it, which would read the value again.
func (b written) text() []byte {
	to, _ := jsontree.Append(append(make([]byte, 0, len(b.Key)+len(b.Value)+64), `{"key":`...), b.Key)
	to = append(append(to, `,"value":`...), b.Value...)
	return append(to, "}\n"...)
}

func (b written) with(o *outcome) any {
	return struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
		*outcome
	}{b.Key, b.Value, o}
}

// removed is the body after a DELETE.
type removed struct {
	Deleted string `json:"deleted"`
	Key     string `json:"key"`
	*outcome
}

func (b removed) with(o *outcome) any { b.outcome = o; return b }

// item is an object in the answer to a read.
type item struct {
	Key           string          `json:"key"`
	Value         json.RawMessage `json:"value"`
	CreatedIndex  int64           `json:"createdIndex"`
	ModifiedIndex int64           `json:"modifiedIndex"`
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
