using Mesh.Gateway.Hosting;

return await GatewayProcess.RunAsync(args, Console.Out, Console.Error);
