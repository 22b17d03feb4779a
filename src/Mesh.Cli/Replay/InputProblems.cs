using Mesh.Cli.Output;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Replay;

/// <summary>Tells what is wrong with the inputs of <c>mesh replay</c> and <c>mesh plan</c>, and what to do about it.</summary>
internal static class InputProblems
{
    /// <summary>Whether an exception is an input's fault.</summary>
    public static bool IsInput(Exception exception) => exception is ArgumentException or IOException or UnauthorizedAccessException or TraceFormatException;

    /// <summary>Writes the problem and the next step.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="exception">One that <see cref="IsInput"/> is true of.</param>
    /// <param name="command">The command, such as <c>mesh replay</c>.</param>
    public static void Tell(ToolConsole console, Exception exception, string command) => console.Problem(
        exception.Message,
        exception switch
        {
            TraceFormatException trace => $"correct line {trace.Line}, or leave it out with --skip and --rows",
            FileNotFoundException or DirectoryNotFoundException => "check the path; it counts from this directory",
            UnauthorizedAccessException => "give this user the right to it, or name another path",
            IOException => "see to the disk, or name another path",
            _ => $"{command} --help",
        });

    /// <summary>Opens a file for reading and closes it again, so that a mistake is told before hours of work and in plain words.</summary>
    /// <exception cref="ArgumentException">It is a directory.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static void CheckReadable(string option, string path)
    {
        if (Directory.Exists(path)) throw new ArgumentException($"{option} {path} is a directory; a file is expected.");
        if (!File.Exists(path)) throw new FileNotFoundException($"{option} {path}: there is no such file.");
        File.OpenRead(path).Dispose();
    }

    /// <summary>The same for a file that is to be written; it is not touched.</summary>
    /// <exception cref="ArgumentException">It is a directory, or one in which nothing can be written.</exception>
    /// <exception cref="IOException">Its directory does not exist, or it cannot be written.</exception>
    public static void CheckWritable(string option, string path)
    {
        if (Directory.Exists(path)) throw new ArgumentException($"{option} {path} is a directory; a file is expected.");
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"{option} {path}: there is no directory {directory}.");
        var isNew = !File.Exists(path);
        File.Open(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
        if (isNew) File.Delete(path);
    }
}
