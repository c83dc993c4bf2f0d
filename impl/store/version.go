package store

import (
	"context"
	"errors"
)

// Version asks one member after the other which version of etcd it runs.
func (s *Store) Version(ctx context.Context) (string, error) {
	err := errors.New("no etcd endpoints")
	for _, endpoint := range s.c.Endpoints() {
		status, failed := s.c.Status(ctx, endpoint)
		if failed == nil {
			return status.Version, nil
		}
		err = classify("status", false, failed)
	}
	return "", err
}
