package exchange

// CutReason says why an answer was cut. The list is closed: a reason is a label of
// metrics and a word of the log.
type CutReason uint8

// Why answers are cut.
const (
	CutInternal         CutReason = iota // the gateway is at fault
	CutShutdown                          // the gateway ended, and waited no longer
	CutTargetEnded                       // the target closed its connection before the end of the body
	CutTargetReset                       // the target reset its connection, or its stream
	CutTargetMalformed                   // what the target sent behind the head is no body, or no HTTP/2
	CutTargetSilent                      // the target did nothing for as long as a timeout
	CutClientGone                        // the client closed or reset its connection
	CutClientReset                       // the client reset its stream
	CutClientMalformed                   // the client sent what is no body, or no HTTP/2
	CutClientTooBig                      // the body of the request exceeds a limit
	CutClientNotSending                  // the client did not send its body in time
	CutClientNotReading                  // the client did not take the answer in time
	lastCutReason
)

var cutNames = [lastCutReason]string{"internal", "shutdown", "target_ended", "target_reset", "target_malformed", "target_silent",
	"client_gone", "client_reset", "client_malformed", "client_too_big", "client_not_sending", "client_not_reading"}

// CutReasons is how many there are: the size of a table of counters indexed by
// CutReason.
const CutReasons = int(lastCutReason)

// String returns a word for logs and labels of metrics.
func (r CutReason) String() string {
	if r < lastCutReason {
		return cutNames[r]
	}
	return "unknown"
}
