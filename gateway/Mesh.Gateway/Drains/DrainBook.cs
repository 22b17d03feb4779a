using Mesh.Core.Config;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Drains;

/// <summary>
/// The drains of this gateway: in memory, and in the state directory where there is one. <see cref="Current"/> may be read from any thread; changes are serialized by their
/// caller, <see cref="DrainOperations"/>.
/// </summary>
internal sealed partial class DrainBook
{
    private readonly DrainFile? _file;
    private readonly ILogger _log;
    private volatile DrainList _current;

    /// <param name="directory">State directory; null keeps drains in memory alone.</param>
    /// <param name="loggers">Logs.</param>
    /// <exception cref="GatewayConfigurationException">The file is there and cannot be read.</exception>
    public DrainBook(string? directory, ILoggerFactory loggers)
    {
        _log = loggers.CreateLogger<DrainBook>();
        _file = string.IsNullOrEmpty(directory) ? null : new DrainFile(directory);
        _current = _file?.Read() ?? DrainList.Empty;
        foreach (var drain in _current.Drains) StillDrained(_log, drain.Target, drain.By, drain.Since, drain.Reason);
    }

    /// <summary>The drains in force.</summary>
    public DrainList Current => _current;

    /// <summary>File that they are kept in; null without one.</summary>
    public string? FilePath => _file?.Path;

    /// <summary>A configuration with the drains laid over it.</summary>
    public MeshConfig Overlay(MeshConfig config) => DrainOverlay.Apply(config, _current.Drains);

    /// <summary>
    /// Takes a new list. Null when a restart will find it; else why not: it holds all the same, for an operator who drains at night must not be stopped by a full disk.
    /// </summary>
    public string? Set(DrainList next)
    {
        _current = next;
        if (_file is null) return "this gateway has no state directory (Mesh:StateDirectory); a restart forgets its drains";
        try
        {
            _file.Write(next);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotWritten(_log, _file.Path, e.Message);
            return $"{_file.Path} cannot be written ({e.Message}); a restart forgets this change";
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Drained since before the start: {Target}, by {By} at {Since:u}: {Reason}")]
    private static partial void StillDrained(ILogger log, DrainTarget target, string by, DateTimeOffset since, string reason);

    [LoggerMessage(2, LogLevel.Error, "{Path} cannot be written: {Message} The drains hold until this gateway stops.")]
    private static partial void NotWritten(ILogger log, string path, string message);
}
