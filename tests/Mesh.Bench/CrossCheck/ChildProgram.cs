using System.Diagnostics;
using System.Text;

namespace Mesh.Bench.CrossCheck;

/// <summary>One of the project's programs as a process of its own; it ends with this object.</summary>
internal sealed class ChildProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly StringBuilder _output = new();

    private ChildProgram(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts a program.</summary>
    /// <param name="name">Its file, beside this program or in the project's output.</param>
    /// <param name="project">Folder of its project below the repository's root.</param>
    /// <param name="args">Its arguments.</param>
    /// <exception cref="FileNotFoundException">It is nowhere.</exception>
    public static ChildProgram Start(string name, string project, params IEnumerable<string> args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Find(name, project));
        foreach (var arg in args) start.ArgumentList.Add(arg);
        return new ChildProgram(Process.Start(start)!);
    }

    /// <summary>Runs a program to its end and returns what it wrote.</summary>
    /// <exception cref="InvalidOperationException">Its exit code is not 0; the message has what it complained of.</exception>
    public static async Task<string> RunAsync(string name, string project, params string[] args)
    {
        await using var program = Start(name, project, args);
        var output = await program._process.StandardOutput.ReadToEndAsync();
        await program._process.WaitForExitAsync();
        if (program._process.ExitCode != 0) throw new InvalidOperationException($"{name} {string.Join(' ', args)} ended with {program._process.ExitCode}: {await program._errors}");
        return output;
    }

    /// <summary>Waits until it writes a line that begins so.</summary>
    /// <exception cref="InvalidOperationException">It ended before; the message has all that it wrote.</exception>
    /// <exception cref="TimeoutException">It takes longer than a minute.</exception>
    public async Task WaitForLineAsync(string beginning)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await _process.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
        {
            _output.AppendLine(line);
            if (!line.StartsWith(beginning, StringComparison.Ordinal)) continue;
            // What nobody reads fills the pipe and stops the program.
            _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return;
        }

        throw new InvalidOperationException($"it ended early: {_output}{await _errors}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Find(string name, string project)
    {
        var beside = Path.Combine(AppContext.BaseDirectory, name);
        if (File.Exists(beside)) return beside;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var built = Path.Combine(folder.FullName, project, "bin", "Release", "net10.0", name);
            if (File.Exists(built)) return built;
        }

        throw new FileNotFoundException($"{name} is not built: dotnet build -c Release {project}");
    }
}
