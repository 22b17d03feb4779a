namespace Mesh.Resources.Watching;

/// <summary>
/// The file system's events of a directory tree, as far as they come: a network file system sends none, and a directory that is
/// replaced goes on being watched under its old identity. Whoever listens polls as well, and calls <see cref="Renew"/> when polling
/// finds what no event told of.
/// </summary>
internal sealed class DirectoryEvents(string directory, Action signal) : IDisposable
{
    private FileSystemWatcher? _watcher;

    public void Renew()
    {
        Dispose();
        try
        {
            var watcher = new FileSystemWatcher(directory)
            {
                IncludeSubdirectories = true,
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            watcher.Changed += (_, _) => signal();
            watcher.Created += (_, _) => signal();
            watcher.Deleted += (_, _) => signal();
            watcher.Renamed += (_, _) => signal();
            watcher.Error += (_, _) => signal();
            watcher.EnableRaisingEvents = true;
            _watcher = watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // No directory, or no watches left on this machine: polling is enough, only slower.
            _watcher = null;
        }
    }

    public void Dispose()
    {
        _watcher?.Dispose();
        _watcher = null;
    }
}
