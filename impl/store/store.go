// Package store owns the revisioned view of etcd that every other part works
// with: read, list and watch directories, and commit conditional changes.
//
// It never interprets values and never caches what it read: a value that Get or
// List returns was agreed by a quorum of the cluster after the call began. All
// methods of Store are safe for concurrent use.
package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

const (
	// defaultDialTimeout bounds one connection attempt to one endpoint.
	defaultDialTimeout = 2 * time.Second
	// keepaliveTime and keepaliveTimeout find half-open connections: with data
	// under way after keepaliveTimeout (TCP_USER_TIMEOUT), silent ones with an
	// open stream after the sum. gRPC allows no shorter ping interval than 10 s;
	// etcd's own minimum is 5 s.
	keepaliveTime    = 10 * time.Second
	keepaliveTimeout = 3 * time.Second
	// reconnectMax bounds the pause between two attempts to reach an endpoint
	// that was down. gRPC's own default of two minutes would leave a returned
	// etcd member unused for as long.
	reconnectMax = 2 * time.Second
	// readTimeout and commitTimeout bound one request to one member.
	readTimeout   = 3 * time.Second
	commitTimeout = 5 * time.Second
	// patience bounds how long a call goes on to ask members that refuse or do not
	// answer: several times as long as the election of a leader takes.
	patience = 10 * time.Second
	// maxSend bounds one request, in bytes; the members' own limit is what
	// counts (unilb-etcd: 4 MiB).
	maxSend = 16 << 20
	// attemptPause separates attempts that were refused at once.
	attemptPause = 200 * time.Millisecond
	// clientTries is how often etcd's library itself puts a question, 25 ms apart.
	clientTries = 3
)

// Options of a Store. Endpoints is required, the rest may be zero.
type Options struct {
	// Endpoints are the client URLs of etcd members, e.g. http://10.0.0.1:2379.
	Endpoints []string
	// TLS is how members at https:// are verified and what they are shown; nil: by
	// the system's authorities, and nothing. Members at http:// are not asked for it.
	TLS *tls.Config
	// User and Password are who etcd takes this process for; "": whoever its client
	// certificate says, or nobody.
	User, Password string
	// DialTimeout bounds one connection attempt; zero means 2 s.
	DialTimeout time.Duration
	// Log receives what the store rides out; nil discards it.
	Log *slog.Logger

	maxReceive int // of one answer, in bytes; 0: what gRPC can hold. Tests set it.
}

// A Store is a connection to one etcd cluster.
type Store struct {
	c       *clientv3.Client // of all members
	members *members
	log     *slog.Logger
	streams streams
	gets    gets
	// See the constants; tests set them.
	beginning, starvation, patience time.Duration
	reach                           reach
	resyncs                         resyncCounts
	frontiers                       frontiers
}

// Open prepares a Store. It does not wait for etcd: an unreachable cluster shows
// in the first call that needs it.
func Open(o Options) (*Store, error) {
	if len(o.Endpoints) == 0 {
		return nil, errors.New("open store: no etcd endpoints")
	}
	if o.DialTimeout <= 0 {
		o.DialTimeout = defaultDialTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{log: o.Log, beginning: beginning, starvation: starvation, patience: patience}
	s.reach.since = time.Now()
	var err error
	if s.c, err = dial(o, o.Endpoints...); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s.members = newMembers(s.c)
	for _, endpoint := range o.Endpoints {
		c, err := dial(o, endpoint)
		if err != nil {
			_ = s.Close() // the first error says more
			return nil, fmt.Errorf("open store: %w", err)
		}
		s.members.add(c)
	}
	s.streams.turn = rand.N(len(s.members.each))
	return s, nil
}

// Dial makes a client of etcd's own library, for what a Store does not do, such as
// elections. It connects when it is first used. o is as for Open.
func Dial(o Options) (*clientv3.Client, error) {
	if o.DialTimeout <= 0 {
		o.DialTimeout = defaultDialTimeout
	}
	return dial(o, o.Endpoints...)
}

func dial(o Options, endpoints ...string) (*clientv3.Client, error) {
	cfg := clientv3.Config{
		Endpoints:            endpoints,
		TLS:                  o.TLS,
		MaxCallRecvMsgSize:   o.maxReceive,
		DialKeepAliveTime:    keepaliveTime,
		DialKeepAliveTimeout: keepaliveTimeout,
		// etcd ends connections that ping without a stream, and with them the
		// commits that have just begun there. A dead idle connection costs the
		// next call one attempt instead.
		PermitWithoutStream: false,
		MaxUnaryRetries:     clientTries, // of its own it would go on for seconds while no member runs
		MaxCallSendMsgSize:  maxSend,
		Logger:              zap.NewNop(), // its warnings repeat what our errors say
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: reconnectMax,
			},
			MinConnectTimeout: o.DialTimeout,
		}), grpc.WithChainStreamInterceptor(openOnce), grpc.WithChainUnaryInterceptor(doNotWait)},
	}
	if o.User == "" {
		return clientv3.New(cfg)
	}
	// With a name and a password the client asks for its token before New returns,
	// and fails where etcd is away. With a token it asks nobody; what it sends of
	// this one is refused, and then it looks at name and password.
	cfg.Token = "none yet"
	c, err := clientv3.New(cfg)
	if err != nil {
		return nil, err
	}
	c.Token, c.Username, c.Password = "", o.User, o.Password
	return c, nil
}

// Close releases the connections. Calls under way end with an error.
func (s *Store) Close() error {
	var errs []error
	for _, m := range append([]*member{s.members.all}, s.members.each...) {
		if err := m.c.Close(); err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, fmt.Errorf("close store: %w", err))
		}
	}
	return errors.Join(errs...)
}

// A KV is one key with its value and the revisions that created and last
// modified it.
type KV struct {
	Key         string
	Value       []byte
	Create, Mod int64
}
