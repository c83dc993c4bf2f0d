package etcd

import "context"

// Put writes a key straight into the store, as somebody does who goes past the
// Admin API, and returns the revision of that.
func (m *Member) Put(ctx context.Context, key string, value []byte) (int64, error) {
	question := struct {
		Key   []byte `json:"key"`
		Value []byte `json:"value"`
	}{[]byte(key), value}
	return m.write(ctx, "/v3/kv/put", question)
}

// Delete removes a key, and returns the revision of the store after that.
func (m *Member) Delete(ctx context.Context, key string) (int64, error) {
	question := struct {
		Key []byte `json:"key"`
	}{[]byte(key)}
	return m.write(ctx, "/v3/kv/deleterange", question)
}

func (m *Member) write(ctx context.Context, path string, question any) (int64, error) {
	var a struct {
		Header header `json:"header"`
	}
	err := m.call(ctx, path, question, &a)
	return a.Header.Revision, err
}
