package control

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/unilb/unilb/impl/explain"
)

// maxRequest bounds a request that somebody asks about, in bytes.
const maxRequest = 2 << 20

// explain says what would become of a request: as the query describes it, or with POST as
// it stands in the body, its own body behind its head. The answer is JSON, or text for those who accept it alone.
func (h *handler) explain(w http.ResponseWriter, r *http.Request) {
	form := explain.FormOf(r.URL.Query())
	if r.Method == http.MethodPost {
		head, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request has more than %d bytes", large.Limit))
			return
		case err != nil:
			fail(w, http.StatusBadRequest, err.Error())
			return
		}
		if form.Head = head; len(head) == 0 {
			fail(w, http.StatusBadRequest, "no body: want the head of a request")
			return
		}
	}
	question, err := form.Question()
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a := h.Explain().Explain(question)
	if strings.HasPrefix(r.Header.Get("Accept"), "text/plain") {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_ = a.Text(w) // the client is gone; nothing to do about it
		return
	}
	answer(w, http.StatusOK, a)
}
