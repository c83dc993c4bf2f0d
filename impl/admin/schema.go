package admin

import (
	"errors"
	"net/http"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
)

// endpoint finds what answers a path below the root that names no kind of object;
// nil: it names one, or nothing.
func (h *Handler) endpoint(method, path string) http.HandlerFunc {
	name, rest, _ := strings.Cut(path, "/")
	kind, validated := strings.CutPrefix(rest, "validate/")
	switch {
	case name == "configs" && rest == "validate" && method == http.MethodPost:
		return h.validateConfigs
	case name == "schema" && validated && method == http.MethodPost:
		kind, _, _ = strings.Cut(kind, "/") // APISIX looks no further
		return func(w http.ResponseWriter, r *http.Request) { validateObject(w, r, kind) }
	case name == "schema" && method == http.MethodGet:
		return func(w http.ResponseWriter, r *http.Request) {
			if f := readNothing(w, r); f != nil {
				f.write(w)
				return
			}
			kind, _, _ := strings.Cut(rest, "/")
			giveSchema(w, kind)
		}
	case name == "schema":
		return func(w http.ResponseWriter, _ *http.Request) { fail(http.StatusNotFound, "not found").write(w) }
	}
	return nil
}

// giveSchema answers the schema of a kind of object.
func giveSchema(w http.ResponseWriter, kind string) {
	w.Header().Set("X-API-VERSION", apiVersion)
	text, ok := apisix.SchemaText(kind)
	if !ok {
		bad("not found schema: " + kind).write(w)
		return
	}
	writeJSON(w, http.StatusOK, text)
}

// validateObject checks an object with nothing but the schema of its kind.
func validateObject(w http.ResponseWriter, r *http.Request, name string) {
	res, ok := kindOf(name)
	if !ok {
		fail(http.StatusNotFound, "Unsupported resource type: "+name).write(w)
		return
	}
	body, f := readBody(w, r)
	if f != nil {
		f.write(w)
		return
	}
	if err := checkAlone(res, body); err != nil {
		bad(err.Error()).write(w)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func checkAlone(res *resource, body *apisix.Document) error {
	if body == nil {
		return errors.New("wrong type: expected object, got nil")
	}
	return apisix.CheckSchema(res.named, body.Value())
}
