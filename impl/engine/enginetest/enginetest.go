// Package enginetest holds every engine to the same tests: what a client and a target
// see of a gateway must not depend on the engine that serves. It is for tests alone.
package enginetest

import (
	"context"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/exchange"
)

// Options are those that every engine has; see there.
type Options struct {
	Handler     exchange.Handler
	MaxBody     int64
	MaxConns    int
	HeadTimeout time.Duration
	IdleTimeout time.Duration
	BodyTimeout time.Duration
	HalfClose   time.Duration
	Server      string
	Draining    func() bool
	TLS         *certs.Server // nil: serve without TLS
	Roots       *x509.CertPool
	HTTP2       bool // serve it to clients
}

// Engine is what every engine can do.
type Engine interface {
	Serve(net.Listener) error
	ServeTLS(net.Listener) error
	Drain()
	SendAway()
	Shutdown(context.Context) error
	InFlight() int
}

// Starter serves a handler on an address of its own until the test ends.
type Starter func(t *testing.T, o Options) (e Engine, addr string)

// Serve is the part of a Starter that all share: it serves the listener, with TLS if
// secure, and at the end of the test shuts the engine down and finds that nothing
// went wrong.
func Serve(t *testing.T, e Engine, ln net.Listener, secure bool) string {
	t.Helper()
	serve, served := e.Serve, make(chan error, 1)
	if secure {
		serve = e.ServeTLS
	}
	go func() { served <- serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = ln.Close() // an engine's own Shutdown may have closed it
		if err := e.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v, %d in flight", err, e.InFlight())
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String()
}

// Run runs all tests, those that know nothing of TLS over it, too. strict: the engine
// itself reads what targets answer, and refuses what the library lets pass.
func Run(t *testing.T, start Starter, strict bool) {
	for name, f := range map[string]func(*testing.T, Starter){
		"RequestAndAnswerPassUnchanged":                     requestAndAnswerPassUnchanged,
		"TargetsOfOddFormReachTheUpstreamAsTheyAre":         targetsOfOddFormReachTheUpstreamAsTheyAre,
		"SuspendedRequestGoesOnAfterResume":                 suspendedRequestGoesOnAfterResume,
		"BodyFlowsBothWaysAtOnce":                           bodyFlowsBothWaysAtOnce,
		"AnswerThatBreaksOffReachesTheClientBroken":         answerThatBreaksOffReachesTheClientBroken,
		"TrailersAndInterimAnswersPass":                     trailersAndInterimAnswersPass,
		"ExpectationIsMetByTheGateway":                      expectationIsMetByTheGateway,
		"BodyFilterReplacesChunks":                          bodyFilterReplacesChunks,
		"TooLongBodyIsRefused":                              tooLongBodyIsRefused,
		"EarlyAnswerLeavesNoBytesBehind":                    earlyAnswerLeavesNoBytesBehind,
		"EarlyAnswerWaitsForASenderToReadIt":                earlyAnswerWaitsForASenderToReadIt,
		"ConnectionsAreKeptPerGeneration":                   connectionsAreKeptPerGeneration,
		"TLSTargetIsVerifiedWhenAsked":                      tLSTargetIsVerifiedWhenAsked,
		"TargetIsVerifiedByTheNameThatItIsAskedFor":         targetIsVerifiedByTheNameThatItIsAskedFor,
		"ConnectionsAreKeptForOneClientCertificate":         connectionsAreKeptForOneClientCertificate,
		"UpgradedConnectionCarriesBytesBothWays":            upgradedConnectionCarriesBytesBothWays,
		"DrainWaitsForSlowRequest":                          drainWaitsForSlowRequest,
		"ClientThatLeavesEndsTheAttempt":                    clientThatLeavesEndsTheAttempt,
		"ClientThatHasShutDownItsSideIsAnswered":            clientThatHasShutDownItsSideIsAnswered,
		"ClientThatShutsDownItsSideInARequestIsGone":        clientThatShutsDownItsSideInARequestIsGone,
		"HalfClosedClientIsWaitedForWhileItIsSentSomething": halfClosedClientIsWaitedForWhileItIsSentSomething,
		"TunnelOfAHalfClosedClientEnds":                     tunnelOfAHalfClosedClientEnds,
		"ConnectionsBeyondTheBoundAreClosed":                connectionsBeyondTheBoundAreClosed,
		"AnswersOfTheEngineItselfNameTheServer":             answersOfTheEngineItselfNameTheServer,
		"AnswersSayCloseWhileTheNodeDrains":                 answersSayCloseWhileTheNodeDrains,
		"ConnectFailureIsTriedAgainWithTheWholeBody":        connectFailureIsTriedAgainWithTheWholeBody,
		"SmallBodyIsSentAgainLargeOneIsNot":                 smallBodyIsSentAgainLargeOneIsNot,
		"SilentTargetIsATimeout":                            silentTargetIsATimeout,
		"WhatFollowsAnAnswerIsNobodysAnswer":                whatFollowsAnAnswerIsNobodysAnswer,
		"PostThatReachedATargetIsNotRepeated":               postThatReachedATargetIsNotRepeated,
		"PostIsNeverWrittenToAConnectionThatHasEnded":       postIsNeverWrittenToAConnectionThatHasEnded,
		"MalformedRequestIsRefusedAndTheLast":               malformedRequestIsRefusedAndTheLast,
		"ConnectIsRefusedAndTheLast":                        connectIsRefusedAndTheLast,
		"SwitchThatNobodyAskedForIsABadAnswer":              switchThatNobodyAskedForIsABadAnswer,
		"EarlyAnswerEndsTheConnectionToItsTarget":           earlyAnswerEndsTheConnectionToItsTarget,
		"HeadThatNeverEndsIsGivenUp":                        headThatNeverEndsIsGivenUp,
		"FieldsWithUnderscoresPassAsTheyAre":                fieldsWithUnderscoresPassAsTheyAre,
		"NoConnectionIsUsedBehindAFaultyAnswer":             func(t *testing.T, start Starter) { noConnectionIsUsedBehindAFaultyAnswer(t, start, strict) },
		"CutAnswersHaveTheirReason":                         cutAnswersHaveTheirReason,
		"IdleClientsAreSentAway":                            idleClientsAreSentAway,
		"HandlerThatPanicsIsToldOfTheEndOnce":               handlerThatPanicsIsToldOfTheEndOnce,
		"LengthOfZeroIsTold":                                lengthOfZeroIsTold,
		"RequestIsSuspendedTwice":                           requestIsSuspendedTwice,
		"ResumeAfterTheClientHasGoneReachesNobody":          resumeAfterTheClientHasGoneReachesNobody,
		"BodyIsShownWholeAndSentOn":                         bodyIsShownWholeAndSentOn,
		"BodyInPiecesIsShownWhenItIsThere":                  bodyInPiecesIsShownWhenItIsThere,
		"TooLongABodyIsShownInPartAndSentOnWhole":           tooLongABodyIsShownInPartAndSentOnWhole,
		"NothingIsReadOfTooLongABodyBeforeTheVerdict":       nothingIsReadOfTooLongABodyBeforeTheVerdict,
		"ClientThatWaitsIsToldToSend":                       clientThatWaitsIsToldToSend,
		"BodyThatIsThereIsShownAtOnce":                      bodyThatIsThereIsShownAtOnce,
		"AnswerToABodyThatWasShownKeepsTheConnection":       answerToABodyThatWasShownKeepsTheConnection,
		"ClientThatLeavesItsBodyIsGone":                     clientThatLeavesItsBodyIsGone,
		"BodyThatStopsWhileItIsCollectedIsGivenUp":          bodyThatStopsWhileItIsCollectedIsGivenUp,
		"TooLongABodyForTheEngineIsRefused":                 tooLongABodyForTheEngineIsRefused,
		"MalformedBodyIsShownToNobody":                      func(t *testing.T, start Starter) { malformedBodyIsShownToNobody(t, start, strict) },
		"PanicOverABodyEndsItsConnectionOnly":               panicOverABodyEndsItsConnectionOnly,
		"BodyThatWasShownIsSentAgain":                       bodyThatWasShownIsSentAgain,
		"DrainWaitsForABody":                                drainWaitsForABody,
		"EarlyAnswerToABodyIsRead":                          earlyAnswerToABodyIsRead,
		"BodiesAreChargedAsTheyCome":                        bodiesAreChargedAsTheyCome,
		"BodyForWhichThereIsNoRoomIsAnswered":               bodyForWhichThereIsNoRoomIsAnswered,
		"WhatABodyHoldsIsGivenBack":                         whatABodyHoldsIsGivenBack,
	} {
		t.Run(name, func(t *testing.T) { f(t, start) })
		t.Run("TLS/"+name, func(t *testing.T) { f(t, overTLS(start)) })
	}
	for name, f := range map[string]func(*testing.T, Starter){
		"RequestsKnowTheTLSThatTheyCameOver":         requestsKnowTheTLSThatTheyCameOver,
		"SessionsAreResumed":                         sessionsAreResumed,
		"RecordsInPiecesAreRecords":                  recordsInPiecesAreRecords,
		"HandshakesThatStopEndAndKeepNobodyWaiting":  handshakesThatStopEndAndKeepNobodyWaiting,
		"PlainRequestToTLSIsToldWhy":                 plainRequestToTLSIsToldWhy,
		"StrangersGetNoHandshake":                    strangersGetNoHandshake,
		"RoomOfConnectionsWithTLSIsGivenBack":        roomOfConnectionsWithTLSIsGivenBack,
		"AnswerThatIsCutBelowTLSReachesTheClientCut": answerThatIsCutBelowTLSReachesTheClientCut,
		"AcceptingPausesWithoutDescriptors":          acceptingPausesWithoutDescriptors,
	} {
		t.Run(name, func(t *testing.T) { f(t, start) })
	}
}
