using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Tests.Inference;

public sealed class LargeBodiesTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(LargeBodies.MaxInlineBytes, false)]
    [InlineData(LargeBodies.MaxInlineBytes + 1, true)]
    public async Task LeaveSocketThread_LargeBodiesAlone_GoOnOnThePool(int bytes, bool leaves)
    {
        var isPooled = false;
        Task? task = null;
        // A thread of its own stands for the one that reads sockets.
        var socketThread = new Thread(() => task = RunAsync());
        socketThread.Start();
        socketThread.Join();
        await task!.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(leaves, isPooled);

        async Task RunAsync()
        {
            await LargeBodies.LeaveSocketThread(bytes);
            isPooled = Thread.CurrentThread.IsThreadPoolThread;
        }
    }
}
