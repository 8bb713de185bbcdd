package child

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// orphanEnv turns the test binary into a process that starts a child and waits
// to be killed, see TestChildDiesWithParent.
const orphanEnv = "CHILD_ORPHAN_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(orphanEnv) != "" {
		cmd := exec.Command("sleep", "300")
		cmd.Stdout = os.Stdout
		_, err := Start(cmd, nil)
		fmt.Println("started", err)
		select {}
	}
	os.Exit(m.Run())
}

// testTimeout bounds what should take a moment.
const testTimeout = 20 * time.Second
