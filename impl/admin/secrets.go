package admin

import (
	"bytes"
	"encoding/json"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// sealed is an object as it is stored.
func (h *Handler) sealed(res *resource, obj *apisix.Object) (*apisix.Object, error) {
	obj, err := h.keyring.Seal(obj, res.keys)
	if err != nil || h.plain {
		return obj, err
	}
	return h.keyring.SealMembers(obj, plugin.Secrets(obj.Tree(), res.plugins))
}

// maySeal tells whether a value can hold secrets of plugins at all, without decoding
// it.
func maySeal(res *resource, value []byte) bool {
	switch res.plugins {
	case plugin.None:
		return false
	case plugin.Metadata:
		return true
	}
	return bytes.Contains(value, []byte(`"plugins"`)) || bytes.ContainsRune(value, '\\')
}

// opened is a stored value, as it is or with the secrets of its plugins in clear.
func (h *Handler) opened(res *resource, value []byte) ([]byte, error) {
	tree, ok := isObject(value)
	secrets := plugin.Secrets(tree, res.plugins)
	if !ok || secrets == nil {
		return value, nil
	}
	obj, err := apisix.Parse(value)
	if err != nil {
		return nil, err
	}
	if obj, err = h.keyring.OpenMembers(obj, secrets); err != nil {
		return nil, err
	}
	return obj.Encode(), nil
}

// shown is a stored value as answers hold it: without what is hidden, the secrets of
// plugins in clear.
func (h *Handler) shown(res *resource, value []byte) json.RawMessage {
	if len(res.hidden) == 0 && !maySeal(res, value) {
		return value // most are, and lists are long
	}
	obj, err := apisix.Parse(value)
	if err != nil {
		return json.RawMessage("{}") // what cannot be read is not shown
	}
	secrets := plugin.Secrets(obj.Tree(), res.plugins)
	if len(res.hidden) == 0 && secrets == nil {
		return value
	}
	if obj, err = h.keyring.OpenMembers(obj.Without(res.hidden...), secrets); err != nil {
		return json.RawMessage("{}")
	}
	return obj.Encode()
}
