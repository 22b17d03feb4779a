using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Mesh.Regions.Tests.Support;

/// <summary>The gateway of one region as a process, with its simulated model servers inside.</summary>
internal sealed class RegionProcess : IDisposable
{
    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromSeconds(5) };

    private readonly Func<ProcessStartInfo> _start;
    private readonly ConcurrentQueue<string> _lines = new();
    private Process? _process;
    private long _started;

    /// <param name="name">Region.</param>
    /// <param name="address">Where it is reached.</param>
    /// <param name="ports">Ports of listener, administration and peers.</param>
    /// <param name="start">Gives the program to start, without arguments of the gateway.</param>
    /// <param name="arguments">Arguments of the gateway.</param>
    public RegionProcess(string name, IPAddress address, (int Listener, int Admin, int Peers) ports, Func<ProcessStartInfo> start, IEnumerable<string> arguments)
    {
        Name = name;
        Listener = new IPEndPoint(address, ports.Listener);
        Admin = new IPEndPoint(address, ports.Admin);
        Peers = new IPEndPoint(address, ports.Peers);
        string[] all = [.. arguments];
        _start = () =>
        {
            var info = start();
            info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
            info.UseShellExecute = false;
            foreach (var argument in all) info.ArgumentList.Add(argument);
            return info;
        };
    }

    public string Name { get; }

    public IPEndPoint Listener { get; }

    public IPEndPoint Admin { get; }

    public IPEndPoint Peers { get; }

    /// <summary>From its last start until it answered its peers: what starting the process takes; null before.</summary>
    public TimeSpan? StartTook { get; private set; }

    /// <summary>What it has written lately.</summary>
    public string Log => string.Join('\n', _lines);

    public static string Program => typeof(Mesh.Gateway.Hosting.GatewayHost).Assembly.Location;

    public void Start()
    {
        _process?.Dispose();
        StartTook = null;
        _started = TimeProvider.System.GetTimestamp();
        _process = Process.Start(_start())!;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Lets go of its standard input, as a parent that dies does; true when it has ended in time.</summary>
    public bool EndsWithInput(TimeSpan limit)
    {
        _process!.StandardInput.Close();
        if (!_process.WaitForExit(limit)) return false;
        // Its last words may be on their way still; only this waits for them.
        _process.WaitForExit();
        return true;
    }

    /// <summary>Text of a page of the administrative address; null when it cannot be had.</summary>
    public async Task<string?> PageAsync(string path)
    {
        try
        {
            using var response = await Client.GetAsync(new Uri($"http://{Admin}{path}"));
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync() : null;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public void Kill()
    {
        if (_process is not { HasExited: false } process) return;
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
    }

    /// <summary>As <c>kill -15</c>, and waits until it has ended.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        if (_process is not { HasExited: false } process) return;
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        using var patience = new CancellationTokenSource(limit);
        await process.WaitForExitAsync(patience.Token);
    }

    /// <summary>Value of a metric, summed over the series whose labels contain all of these; 0 where there is none.</summary>
    public async Task<double> MetricAsync(string name, params string[] labels)
    {
        var sum = 0.0;
        foreach (var line in (await PageAsync("/metrics") ?? "").Split('\n'))
        {
            if (!line.StartsWith(name + "{", StringComparison.Ordinal) && !line.StartsWith(name + " ", StringComparison.Ordinal)) continue;
            if (labels.All(l => line.Contains(l, StringComparison.Ordinal))) sum += double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
        }

        return sum;
    }

    /// <summary>True when it serves and hears all of its peers, and they hear it.</summary>
    public async Task<bool> IsLinkedAsync(int peers) =>
        await PageAsync("/readyz") is not null && (int)await MetricAsync("mesh_peer_state", "state=\"healthy\"") == peers;

    public void Dispose()
    {
        Kill();
        _process?.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        if (line.Contains("Peers are answered", StringComparison.Ordinal)) StartTook = TimeProvider.System.GetElapsedTime(_started);
        _lines.Enqueue(line);
        while (_lines.Count > 400) _lines.TryDequeue(out _);
    }
}
