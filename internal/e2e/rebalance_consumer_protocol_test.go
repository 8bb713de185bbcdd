//go:build kafka && linux

package e2e

import "testing"

// The same move in a group of the new protocol, which the broker balances.
func TestMoveConsumerProtocol(t *testing.T) {
	t.Parallel()
	move(t, func(string) string { return ", protocol: consumer" }, (*world).raiseSession)
}
