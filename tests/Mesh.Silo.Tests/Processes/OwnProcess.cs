using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Mesh.Silo.Tests;

/// <summary>A process of the test's own, its output kept, ended in every case.</summary>
internal sealed partial class OwnProcess : IDisposable
{
    private const int Terminate = 15;
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private OwnProcess(string name, Process process)
    {
        Name = name;
        _process = process;
    }

    public string Name { get; }

    public bool HasExited => _process.HasExited;

    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    public static OwnProcess Start(string name, string file, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        var own = new OwnProcess(name, new Process { StartInfo = start });
        own._process.OutputDataReceived += (_, line) => own.Note(line.Data);
        own._process.ErrorDataReceived += (_, line) => own.Note(line.Data);
        own._process.Start();
        own._process.BeginOutputReadLine();
        own._process.BeginErrorReadLine();
        return own;
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    /// <summary>kill -15, and wait.</summary>
    public async Task StopAsync()
    {
        if (_process.HasExited) return;
        Assert.Equal(0, SendSignal(_process.Id, Terminate));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(patience.Token);
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);

    private void Note(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
    }
}
