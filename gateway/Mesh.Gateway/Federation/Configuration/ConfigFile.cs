using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Federation.Configuration;

/// <summary>The last good configuration on disk: written beside and moved into place, so that it is whole or not there; checked when read.</summary>
internal sealed partial class ConfigFile
{
    private readonly string _path;
    private readonly ILogger _log;

    /// <param name="options">Where it is kept.</param>
    /// <param name="name">Name of this gateway.</param>
    /// <param name="log">Where it says what it cannot do.</param>
    public ConfigFile(FederationOptions options, string name, ILogger log)
    {
        _log = log;
        var file = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '_'));
        _path = Path.Combine(options.StateDirectory ?? "mesh-state", $"config-{file}.json");
    }

    /// <summary>What is there; null when there is nothing, or nothing whole.</summary>
    public ConfigBundle? Read()
    {
        try
        {
            return File.Exists(_path) ? ConfigBundle.FromJson(FileWatch.Read(_path, ConfigBundle.MaxBytes)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            CannotRead(_log, _path, e.Message);
            return null;
        }
    }

    /// <summary>Keeps a configuration. What cannot be written is logged, and costs only the next start.</summary>
    public void Write(ConfigBundle bundle)
    {
        // The processes of one region on one machine may share the file: what they keep there is the same.
        var draft = $"{_path}.{Environment.ProcessId}.new";
        try
        {
            if (Path.GetDirectoryName(_path) is { Length: > 0 } directory) Directory.CreateDirectory(directory);
            using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(bundle.ToJson());
                // On the disk before it takes the old one's place.
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            CannotWrite(_log, _path, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The last good configuration at {Path} cannot be used: {Reason}")]
    private static partial void CannotRead(ILogger log, string path, string reason);

    [LoggerMessage(2, LogLevel.Error, "The configuration cannot be kept at {Path}; a start without peers would not find it: {Reason}")]
    private static partial void CannotWrite(ILogger log, string path, string reason);
}
