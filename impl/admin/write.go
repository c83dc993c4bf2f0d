package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
)

// put creates or replaces an object.
func (h *Handler) put(req *request) (*answer, *failure) {
	obj, at, err := identify(req)
	if err != nil {
		return nil, err
	}
	if obj, err = h.validate(at, obj); err != nil {
		return nil, err
	}
	if at.res.unnumbered {
		at.id, _ = obj.Value("username").(string)
		obj = obj.Without("id") // the name is all that counts
	} else if err := apisix.CheckID(at.id); err != nil {
		return nil, bad(err.Error())
	}
	return h.replace(req, at, obj)
}

// identify applies the rules about ids of PUT and returns the address to write to,
// and the object with the id in it.
func identify(req *request) (*apisix.Object, address, *failure) {
	at := req.address
	obj, err := configuration(req.body)
	if err != nil {
		return nil, at, err
	}
	given := obj.Value("id")
	id := strings.TrimPrefix(apisix.IDText(given), at.within)
	switch {
	case at.res.unnumbered:
		if err := forbidTimes(obj); err != nil {
			return nil, at, err
		}
		return obj, at, nil
	case at.id == "" && !obj.Has("id") && at.res.dir == "plugin_metadata":
		return nil, at, bad("missing plugin name")
	case at.id == "" && (!obj.Has("id") || at.within == "" && at.res.dir == "secrets"):
		return nil, at, bad(fmt.Sprintf("missing %s id", at.res.kind))
	case at.id == "" && at.res.dir == "services" && !isID(given):
		return nil, at, bad("wrong type of service id")
	case at.id != "" && obj.Has("id") && id != at.id:
		return nil, at, bad(fmt.Sprintf("wrong %s id", at.res.kind))
	}
	if err := forbidTimes(obj); err != nil {
		return nil, at, err
	}
	if at.id == "" && at.within == "" {
		at.id = id
		return obj, at, nil
	}
	if at.id == "" {
		at.id = id
	}
	obj, err = with(obj, map[string]any{"id": at.inner()})
	return obj, at, err
}

func isID(v any) bool {
	switch v.(type) {
	case string, json.Number:
		return true
	}
	return false
}

// inner is the id within the object: that of a secret names its manager, too.
func (p address) inner() string {
	if p.res.dir == "secrets" {
		return p.tail()
	}
	return p.id
}

func configuration(body *apisix.Document) (*apisix.Object, *failure) {
	if body == nil {
		return nil, bad("missing configurations")
	}
	obj, err := body.Object()
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

// forbidTimes refuses timestamps in a body, where APISIX looks for them. It names all.
func forbidTimes(obj *apisix.Object) *failure {
	found := ""
	for _, within := range []string{"", "upstream", "plugins"} {
		members, before := obj.Tree(), ""
		if within != "" {
			members, _ = obj.Value(within).(map[string]any)
			before = within + "."
		}
		for _, name := range []string{"create_time", "update_time"} {
			if _, has := members[name]; has {
				found += " " + before + name
			}
		}
	}
	if found == "" {
		return nil
	}
	return bad("the property is forbidden: " + found)
}

// validate returns the object with its private keys open, if nothing is wrong
// with it.
func (h *Handler) validate(at address, obj *apisix.Object) (*apisix.Object, *failure) {
	obj, err := h.keyring.Open(obj, at.res.keys)
	if err != nil {
		return nil, bad("invalid configuration: " + err.Error())
	}
	var later *apisix.RuleError // plugins come before it
	if at.res.check != nil {
		if err := at.res.check(obj, at); err != nil && !errors.As(err, &later) {
			return nil, bad(err.Error())
		}
	}
	if err := checkPlugins(at, obj); err != nil {
		return nil, bad(err.Error())
	}
	if later != nil {
		return nil, bad(later.Error())
	}
	return obj, nil
}

// writePatience bounds how long a write begins again because something it relied
// on changed between its read and its transaction.
const writePatience = 10 * time.Second

// again repeats a try until it needs no other, patience ends or ctx does.
func again(ctx context.Context, try func() (a *answer, retry bool, f *failure)) (*answer, *failure) {
	for began := time.Now(); ; {
		a, retry, f := try()
		switch {
		case !retry:
			return a, f
		case time.Since(began) > writePatience || !pause(ctx, rand.N(retryPause)):
			return nil, lostRace()
		}
	}
}

// replace writes obj, keeping the create_time of what is there.
func (h *Handler) replace(req *request, at address, obj *apisix.Object) (*answer, *failure) {
	key := h.key(at)
	want, insist, err := ifMatch(req.Request)
	if err != nil {
		return nil, err
	}
	return again(req.Context(), func() (*answer, bool, *failure) {
		old, exists, read, gerr := h.st.Get(req.Context(), key)
		if gerr != nil {
			return nil, false, unavailable(gerr)
		}
		if insist && old.Mod != want {
			return nil, false, mismatch(key, want, old.Mod)
		}
		stamped, err := h.stamped(at, obj, old.Value)
		if err != nil {
			return nil, false, err
		}
		code := http.StatusCreated
		if exists {
			code = http.StatusOK
		}
		return h.store(req, at, place{key, old.Mod, read, old.Value}, stamped, code)
	})
}

// stamped sets the times of an object that replaces old.
func (h *Handler) stamped(at address, obj *apisix.Object, old []byte) (*apisix.Object, *failure) {
	if at.res.unstamped {
		return obj, nil
	}
	now := h.now().Unix()
	created := now
	if n, ok := apisix.MemberOf(old, "create_time").(json.Number); ok { // others may have written anything
		if was, err := n.Int64(); err == nil {
			created = was
		}
	}
	return with(obj, map[string]any{"create_time": created, "update_time": now})
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
	if obj, err = h.validate(req.address, obj); err != nil {
		return nil, err
	}
	return again(req.Context(), func() (*answer, bool, *failure) {
		rev, cerr := h.commit(req.Context(), nil, store.Op{Key: h.prefix + "/gen_id", Value: []byte("1")})
		if cerr != nil {
			return nil, false, unavailable(cerr)
		}
		at := req.address
		at.id = fmt.Sprintf("%020d", rev)
		numbered, err := with(obj, map[string]any{"id": at.id})
		if err != nil {
			return nil, false, err
		}
		if numbered, err = h.stamped(at, numbered, nil); err != nil {
			return nil, false, err
		}
		return h.store(req, at, place{h.key(at), 0, rev, nil}, numbered, http.StatusCreated)
	})
}
