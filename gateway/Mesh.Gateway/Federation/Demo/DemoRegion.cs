using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Mesh.Gateway.Federation.Demo;

/// <summary>One region of the demo: a gateway process with its simulated model servers.</summary>
/// <param name="name">Region.</param>
/// <param name="index">Its number, from 0.</param>
internal sealed class DemoRegion(string name, int index) : IDisposable
{
    private const int KeptLines = 40;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<string> _lines = new();
    private Process? _process;

    public string Name => name;

    /// <summary>Where clients come in.</summary>
    public IPEndPoint Listener { get; } = new(IPAddress.Loopback, 8081 + index);

    /// <summary>Metrics and health.</summary>
    public IPEndPoint Admin { get; } = new(IPAddress.Loopback, 9081 + index);

    /// <summary>Where peers come in, behind the delay.</summary>
    public IPEndPoint Peers { get; } = new(IPAddress.Loopback, 9181 + index);

    /// <summary>True after the process has ended.</summary>
    public bool HasEnded => _process?.HasExited == true;

    /// <summary>Number of the process; 0 before it is started.</summary>
    public int ProcessId => _process?.Id ?? 0;

    /// <summary>Its exit code once it has ended.</summary>
    public int ExitCode => _process?.ExitCode ?? 0;

    /// <summary>The last lines that it wrote.</summary>
    public IEnumerable<string> LastLines => _lines;

    /// <summary>Starts the process.</summary>
    /// <param name="manifests">Directory with a directory for each region.</param>
    /// <param name="state">Where configurations are kept.</param>
    /// <param name="peers">Addresses of the others, as this one reaches them.</param>
    /// <param name="output">Gets what people should see.</param>
    public void Start(string manifests, string state, IEnumerable<(string Name, IPEndPoint Address)> peers, TextWriter output)
    {
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        var program = Environment.ProcessPath!;
        start.FileName = program;
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") start.ArgumentList.Add(typeof(DemoRegion).Assembly.Location);
        string[] arguments =
        [
            "--manifests", Path.Combine(manifests, name), "--region", name, "--simulate", "true", "--admin", Admin.ToString(), "--peers-at", Peers.ToString(),
            // However this process ends, and be it by kill -9: its regions end with it.
            "--Mesh:EndWithInput=true", $"--Mesh:Listeners:80={Listener}", $"--Mesh:Federation:StateDirectory={state}", .. peers.Select(p => $"--peer={p.Name}=http://{p.Address}"),
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Take(line.Data, output);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, output);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Asks the process to end, and ends it when it does not.</summary>
    public async Task StopAsync(TimeProvider time)
    {
        if (_process is not { HasExited: false } process) return;
        // The framework itself can only end a process at once, without a word.
        using (var terminate = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)])) await terminate.WaitForExitAsync();
        using var limit = new CancellationTokenSource(StopLimit, time);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
        }
    }

    public void Dispose() => _process?.Dispose();

    private void Take(string? line, TextWriter output)
    {
        if (line is null) return;
        _lines.Enqueue(line);
        while (_lines.Count > KeptLines) _lines.TryDequeue(out _);
        // What regions tell of each other is what the demo is about.
        if (line.Contains("Federation", StringComparison.Ordinal) && line.Contains(": ", StringComparison.Ordinal)) output.WriteLine($"[{name}] {line[(line.IndexOf(']', StringComparison.Ordinal) + 1)..].TrimStart()}");
        else if (line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal)) output.WriteLine($"[{name}] {line}");
    }
}
