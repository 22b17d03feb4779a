using System.Diagnostics;

namespace Mesh.Simulation.Tests.KvEvents;

/// <summary>A test against libzmq, through Debian's python3-zmq; skipped, with what to install, where that is missing.</summary>
public sealed class PyzmqFactAttribute : FactAttribute
{
    internal const string Python = "/usr/bin/python3";

    private static readonly Lazy<bool> Present = new(() =>
    {
        if (!File.Exists(Python)) return false;
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import zmq"]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    });

    public PyzmqFactAttribute()
    {
        if (!Present.Value) Skip = "needs libzmq as a peer: apt-get install python3-zmq";
    }
}
