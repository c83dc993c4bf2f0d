package admin

import (
	"fmt"
	"net/http"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
)

// maxRetries bounds how often a write begins again because something it relied
// on changed between its read and its transaction.
const maxRetries = 8

// put creates or replaces an object.
func (h *Handler) put(req *request) (*answer, *failure) {
	obj, id, err := identify(req)
	if err != nil {
		return nil, err
	}
	if obj, err = h.validate(req.res, obj); err != nil {
		return nil, err
	}
	return h.replace(req, id, obj)
}

// identify applies the rules about ids of PUT and returns the object with the id
// in place.
func identify(req *request) (*apisix.Object, string, *failure) {
	obj, err := configuration(req.body)
	if err != nil {
		return nil, "", err
	}
	id := req.id
	if id == "" {
		if !obj.Has("id") {
			return nil, "", bad(fmt.Sprintf("missing %s id", req.res.kind))
		}
		if err := forbidTimes(obj); err != nil {
			return nil, "", err
		}
		return obj, apisix.IDText(obj.Value("id")), nil
	}
	if obj.Has("id") && apisix.IDText(obj.Value("id")) != id {
		return nil, "", bad(fmt.Sprintf("wrong %s id", req.res.kind))
	}
	if err := forbidTimes(obj); err != nil {
		return nil, "", err
	}
	obj, err = with(obj, map[string]any{"id": id})
	return obj, id, err
}

func configuration(body []byte) (*apisix.Object, *failure) {
	if body == nil {
		return nil, bad("missing configurations")
	}
	obj, err := apisix.Parse(body)
	if err != nil {
		return nil, bad(err.Error())
	}
	return obj, nil
}

func with(obj *apisix.Object, set map[string]any) (*apisix.Object, *failure) {
	obj, err := obj.With(set)
	if err != nil {
		return nil, bad("invalid configuration: " + err.Error())
	}
	return obj, nil
}

// forbidTimes refuses timestamps in a body, where APISIX looks for them.
func forbidTimes(obj *apisix.Object) *failure {
	for _, name := range []string{"create_time", "update_time"} {
		if obj.Has(name) {
			return bad("the property is forbidden:  " + name)
		}
		for _, within := range []string{"upstream", "plugins"} {
			if m, ok := obj.Value(within).(map[string]any); ok {
				if _, ok := m[name]; ok {
					return bad("the property is forbidden:  " + within + "." + name)
				}
			}
		}
	}
	return nil
}

// validate returns the object with its private keys open, if nothing is wrong
// with it.
func (h *Handler) validate(res *resource, obj *apisix.Object) (*apisix.Object, *failure) {
	obj, err := h.keyring.Open(obj, res.keys)
	if err != nil {
		return nil, bad("invalid configuration: " + err.Error())
	}
	if err := res.check(obj); err != nil {
		return nil, bad(err.Error())
	}
	return obj, checkPlugins(obj, res.plugins)
}

// replace writes obj at id, keeping the create_time of what is there.
func (h *Handler) replace(req *request, id string, obj *apisix.Object) (*answer, *failure) {
	key := h.key(req.res, id)
	want, insist, err := ifMatch(req.Request)
	if err != nil {
		return nil, err
	}
	for range maxRetries {
		old, exists, read, gerr := h.st.Get(req.Context(), key)
		if gerr != nil {
			return nil, unavailable(gerr)
		}
		if insist && old.Mod != want {
			return nil, mismatch(key, want, old.Mod)
		}
		now := h.now().Unix()
		created := any(now)
		if tree, ok := isObject(old.Value); ok && tree["create_time"] != nil {
			created = tree["create_time"]
		}
		stamped, err := with(obj, map[string]any{"create_time": created, "update_time": now})
		if err != nil {
			return nil, err
		}
		code := http.StatusCreated
		if exists {
			code = http.StatusOK
		}
		a, retry, err := h.store(req, place{key, old.Mod, read}, stamped, code)
		if !retry {
			return a, err
		}
	}
	return nil, lostRace()
}

func lostRace() *failure {
	return fail(http.StatusServiceUnavailable, "value changed before overwritten")
}

// post creates an object under an id of our choice: APISIX bumps a counter key
// and takes the revision of that write, which no other write ever has.
func (h *Handler) post(req *request) (*answer, *failure) {
	obj, err := configuration(req.body)
	if err != nil {
		return nil, err
	}
	if req.id != "" || obj.Has("id") {
		return nil, bad(fmt.Sprintf("wrong %s id, do not need it", req.res.kind))
	}
	if err := forbidTimes(obj); err != nil {
		return nil, err
	}
	if obj, err = h.validate(req.res, obj); err != nil {
		return nil, err
	}
	for range maxRetries {
		rev, cerr := h.commit(req.Context(), nil, store.Op{Key: h.prefix + "/gen_id", Value: []byte("1")})
		if cerr != nil {
			return nil, unavailable(cerr)
		}
		id, now := fmt.Sprintf("%020d", rev), h.now().Unix()
		stamped, err := with(obj, map[string]any{"id": id, "create_time": now, "update_time": now})
		if err != nil {
			return nil, err
		}
		a, retry, err := h.store(req, place{h.key(req.res, id), 0, rev}, stamped, http.StatusCreated)
		if !retry {
			return a, err
		}
	}
	return nil, lostRace()
}
