namespace Mesh.Gateway.Hosting;

/// <summary>A host that stops when it is told to and listens for no signal: the process has another one for that, and an order to keep.</summary>
internal sealed class QuietLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
