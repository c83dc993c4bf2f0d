package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
)

// patch changes a part of an object: the body is merged into it, or replaces
// what is at the rest of the path.
func (h *Handler) patch(req *request) (*answer, *failure) {
	if req.id == "" {
		return nil, bad(fmt.Sprintf("missing %s id", req.res.kind))
	}
	if req.body == nil {
		return nil, bad("missing new configuration")
	}
	change := req.body.Value()
	members, isObj := change.(map[string]any)
	if (req.sub == nil || *req.sub == "") && !isObj {
		return nil, bad("invalid configuration")
	}
	key := h.key(req.address)
	want, insist, err := ifMatch(req.Request)
	if err != nil {
		return nil, err
	}
	old, exists, read, gerr := h.st.Get(req.Context(), key)
	if gerr != nil {
		return nil, unavailable(gerr)
	}
	if insist && old.Mod != want {
		return nil, mismatch(key, want, old.Mod)
	}
	plain, oerr := h.opened(req.res, old.Value)
	if oerr != nil {
		return nil, bad("invalid configuration: " + oerr.Error())
	}
	tree, ok := isObject(plain)
	if !exists || !ok {
		return nil, keyNotFound()
	}
	switch {
	case req.sub == nil:
		merge(tree, members)
	case *req.sub == "":
		tree = members
	default:
		if err := setAt(tree, strings.Split(*req.sub, "/"), change); err != nil {
			return nil, err
		}
		if apisix.TooDeep(tree) {
			return nil, bad("invalid sub-path: the object would be nested too deep")
		}
		members = nil // times in it are those of a part
	}
	if id, ok := tree["id"]; ok && strings.TrimPrefix(apisix.IDText(id), req.within) != req.id {
		return nil, bad(fmt.Sprintf("wrong %s id", req.res.kind))
	}
	tree["id"] = req.inner()
	h.stamp(tree, members)
	obj, oerr := apisix.FromTree(tree)
	if oerr != nil {
		return nil, bad("invalid configuration: " + oerr.Error())
	}
	if obj, err = h.validate(req.address, obj); err != nil {
		return nil, err
	}
	return again(req.Context(), func() (*answer, bool, *failure) {
		a, conflict, f := h.store(req, req.address, place{key, old.Mod, read, old.Value}, obj, http.StatusOK)
		if !conflict {
			return a, false, f
		}
		// Something else that the write relied on may have changed; the object must not.
		now, _, _, err := h.st.Get(req.Context(), key)
		switch {
		case err != nil:
			return nil, false, unavailable(err)
		case now.Mod != old.Mod:
			return nil, false, lostRace()
		}
		return nil, true, nil
	})
}

// stamp refreshes update_time unless the change set it.
func (h *Handler) stamp(tree, change map[string]any) {
	now := json.Number(strconv.FormatInt(h.now().Unix(), 10))
	if tree["create_time"] == nil {
		tree["create_time"] = now
	}
	if change["update_time"] == nil || tree["update_time"] == nil {
		tree["update_time"] = now
	}
}

// merge merges objects recursively; arrays and scalars are replaced, null
// removes a member. Within a member that was not there before null stays null.
func merge(into, change map[string]any) {
	for name, v := range change {
		if v == nil {
			delete(into, name)
			continue
		}
		was, wasObject := into[name].(map[string]any)
		is, isObject := v.(map[string]any)
		if wasObject && isObject {
			merge(was, is)
			continue
		}
		into[name] = v
	}
}

// setAt replaces the value at a path, creating the objects on the way.
func setAt(tree map[string]any, path []string, v any) *failure {
	at := tree
	for i, seg := range path[:len(path)-1] {
		next, exists := at[seg]
		if !exists {
			next = map[string]any{}
			at[seg] = next
		}
		m, ok := next.(map[string]any)
		if !ok {
			return bad("invalid sub-path: /" + strings.Join(path[:i+1], "/"))
		}
		at = m
	}
	last := path[len(path)-1]
	if last != "" {
		at[last] = v
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return bad("invalid configuration")
	}
	clear(at)
	maps.Copy(at, m)
	return nil
}
